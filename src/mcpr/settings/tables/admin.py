"""`[admin]`: where the pages for the operator are."""

from dataclasses import dataclass, field
from typing import Annotated

from mcpr.settings.fields import about
from mcpr.settings.hosts import ListenAddress
from mcpr.settings.kinds import Text

Token = Annotated[
    str, Text(r"[!-~]{16,512}", "16 to 512 letters without blanks", "a-long-random-word-of-yours")
]


@dataclass(frozen=True, slots=True)
class Admin:
    """The pages for the operator: `/live`, `/ready`, `/metrics`, `/config`."""

    listen: Annotated[str, ListenAddress()] | None = field(
        default=None,
        metadata=about(
            'Address of the pages, such as "127.0.0.1:9901" or "9901"; "off" for none. Only the '
            "default moves to the next free port when it is taken.",
            default="127.0.0.1:9901, or the next free port",
            example='"127.0.0.1:9901"',
        ),
    )
    token: Token | None = field(
        default=None,
        metadata=about(
            "What a program has to send as `Authorization: Bearer …` for every page but /live and "
            "/ready, and a browser is asked for; at least 16 letters. An address that other "
            "machines reach needs it.",
            default="none: no token is needed",
            example='"a-long-random-word-of-yours"',
            secret=True,
        ),
    )
