"""`[store]`: what is recorded, and where."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from mcpr.settings.fields import about
from mcpr.settings.kinds import duration, size


@dataclass(frozen=True, slots=True)
class Store:
    """What is recorded, and where."""

    path: Path = field(
        default=Path("~/.mcpr/store.db"),
        metadata=about(
            "The store's file. MCPR_DB sets it, too, and is read by every command.",
            example='"/var/lib/mcpr/store.db"',
        ),
    )
    detail: bool = field(
        default=True,
        metadata=about(
            "Whether the local part of events is recorded, too: subjects, error texts, names of "
            "clients. It never leaves the store.",
            reload=True,
        ),
    )
    retention: Annotated[float, duration("1h", "3650d")] = field(
        default=30 * 86_400.0,
        metadata=about("How long requests are kept; what is older is deleted, once an hour."),
    )
    max_size: Annotated[int, size("16MiB", "1024GiB")] = field(
        default=2 * 1024**3,
        metadata=about("How large the store may become; then the oldest requests are deleted."),
    )
