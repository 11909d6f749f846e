"""`[store]`: what is recorded, and where."""

from dataclasses import dataclass, field
from pathlib import Path

from mcpr.settings.fields import about


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
