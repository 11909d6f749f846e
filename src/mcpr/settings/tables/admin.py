"""`[admin]`: where the pages for the operator are."""

from dataclasses import dataclass, field
from typing import Annotated

from mcpr.settings.fields import about
from mcpr.settings.hosts import ListenAddress


@dataclass(frozen=True, slots=True)
class Admin:
    """The pages for the operator: `/live`, `/ready`, `/metrics`."""

    listen: Annotated[str, ListenAddress()] | None = field(
        default=None,
        metadata=about(
            'Address of the pages, such as "127.0.0.1:9901" or "9901"; "off" for none. Only the '
            "default moves to the next free port when it is taken.",
            default="127.0.0.1:9901, or the next free port",
            example='"127.0.0.1:9901"',
        ),
    )
