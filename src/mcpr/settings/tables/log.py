"""`[log]`: what is said of each event and exchange, to whoever watches."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mcpr.settings.fields import about

LogForm = Literal["pretty", "json", "off"]
AccessForm = Literal["json", "text"]


@dataclass(frozen=True, slots=True)
class Log:
    """What `mcpr run` says of each event."""

    form: LogForm = field(
        default="pretty",
        metadata=about(
            "How each event is shown on stderr: lines for people, the public envelope as JSON, "
            "or nothing. From and to nothing only by a restart.",
            reload=True,
        ),
    )
    access: str = field(
        default="off",
        metadata=about(
            'File of the access log, a line for each HTTP exchange; "-" is stdout, "off" none. '
            "SIGUSR1 opens it anew.",
            example='"/var/log/mcpr/access.log"',
        ),
    )
    access_form: AccessForm = field(
        default="json", metadata=about("How a line of the access log is written.")
    )

    @property
    def access_target(self) -> str | None:
        """What the access log's sink is told; None when there is none."""
        if self.access in {"off", ""}:
            return None
        place = self.access if self.access == "-" else str(Path(self.access).expanduser())
        return f"{self.access_form}:{place}"
