"""`[schema]`: what happens when a server offers other tools than were approved."""

from dataclasses import dataclass, field
from typing import Literal

from mcpr.settings.fields import about

PinMode = Literal["off", "warn", "block"]


@dataclass(frozen=True, slots=True)
class Schema:
    """What happens when a server offers other tools than were approved."""

    pin: PinMode = field(
        default="off",
        metadata=about(
            "What becomes of a change of the tools that nobody approved: it is recorded; said on "
            "stderr, too; or calls of tools that were added or modified are denied, too. "
            "`mcpr schema approve` approves."
        ),
    )
