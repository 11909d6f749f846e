"""What servers offered, as a store has it: lists in versions, their changes, their definitions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mcpr.events.schema import Item, ListName, Verdict
from mcpr.store.widgets import WidgetPolicy
from mcpr.store.window import Window


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a list. Times of its first and last sighting in epoch ms.

    key: what `definitions` is asked with. bytes: as the server sent it; tokens: an estimate.
    is_whole: whether its definitions are still there. approved_ms: when somebody approved it.
    suspicions: definitions with any.
    """

    key: int
    server: str
    list: ListName
    version: int
    hash: str
    first_ms: int
    last_ms: int
    sightings: int
    items: int
    bytes: int
    tokens: int
    is_whole: bool
    approved_ms: int | None
    suspicions: int


@dataclass(frozen=True, slots=True)
class Change:
    """A list became another version. See `events/schema/event` for the counts and names."""

    seq: int
    id: bytes
    ts_ms: int
    server: str
    list: ListName
    version: int
    from_version: int | None
    verdict: Verdict | None
    items: int
    added: int
    removed: int
    modified: int
    added_names: tuple[str, ...]
    removed_names: tuple[str, ...]
    modified_names: tuple[str, ...]
    is_return: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """What else is known of a list. stale_ms: the server said then that it has changed.

    switches: returns to earlier versions that are not among the changes. unrecorded: versions.
    """

    server: str
    list: ListName
    stale_ms: int | None
    switches: int
    unrecorded: int


@dataclass(frozen=True, slots=True)
class Definition:
    """An item of a version. suspicions: see `events/schema/suspicion`."""

    item: Item
    suspicions: tuple[str, ...]


class OfferedStore(Protocol):
    """The part of an `EventStore` that is about what servers offered. Raises StoreError."""

    def versions(self, server: str | None, which: ListName | None) -> list[Version]:
        """All versions, by server, list and number."""

    def changes(
        self, window: Window | None, server: str | None, which: ListName | None
    ) -> list[Change]:
        """The changes, the newest first."""

    def marks(self) -> list[Mark]:
        """Of every list, in no order."""

    def widgets(self, server: str | None) -> list[WidgetPolicy]:
        """The policies of widgets, by server, widget and last sighting."""

    def definitions(self, key: int) -> Sequence[Definition]:
        """The definitions of a version, by name; none where they were let go of."""
