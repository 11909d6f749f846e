"""`[log]`: what is said of each event, to whoever watches."""

from dataclasses import dataclass, field
from typing import Literal

from mcpr.settings.fields import about

LogForm = Literal["pretty", "json", "off"]


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
