"""What a question may ask of an engine. An engine answers in rows and sums, never in percentiles.

Every engine gives exactly equal answers: text compares byte by byte, numbers are integers, and a
latency is counted by its bucket (`mcpr.events.latency`), which adds up over any rows.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self

from mcpr.errors import UsageError
from mcpr.events import Kind, Outcome, RequestEvent
from mcpr.store.offered import OfferedStore
from mcpr.store.window import Window

Dimension = Literal["server", "method", "tool", "client"]

_PREFIX = re.compile(r"[0-9a-f]{1,32}")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which requests a question is about. None means: any.

    window: by the arrival of the request (`ts_ms`).
    client: the client's slug, or the name by which it called itself.
    session, id: the beginning, in hex digits; an id may have its dashes. Raises UsageError.
    errors_only: only outcomes that count as errors.
    """

    window: Window | None = None
    server: str | None = None
    kind: Kind | None = None
    method: str | None = None
    tool: str | None = None
    client: str | None = None
    outcome: Outcome | None = None
    session: str | None = None
    id: str | None = None
    errors_only: bool = False

    def __post_init__(self) -> None:
        for name, text in (("session", self.session), ("id", self.id)):
            if text is not None:
                object.__setattr__(self, name, _hex_prefix(name, text))


def _hex_prefix(name: str, text: str) -> str:
    prefix = text.lower().replace("-", "")
    if not _PREFIX.fullmatch(prefix):
        raise UsageError(
            f"cannot look for the {name} {text!r}",
            f"the beginning of a {name} is 1 to 32 hex digits",
            "copy it from `mcpr logs -o json`",
            "usage.id",
        )
    return prefix


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands in a store. seq: its place in the order of commits."""

    seq: int
    event: RequestEvent


@dataclass(frozen=True, slots=True)
class Measure:
    """Sums over requests that agree in `key` and in their latency bucket; they add up further.

    key: the values of the dimensions that were asked for, in that order.
    """

    key: tuple[str | None, ...]
    bucket: int
    calls: int
    errors: int
    max_us: int
    bytes_in: int
    bytes_out: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Share:
    """What of a store is of one server. oldest_ms, newest_ms: arrivals, epoch ms."""

    server: str
    events: int
    errors: int
    sessions: int
    oldest_ms: int
    newest_ms: int


@dataclass(frozen=True, slots=True)
class Volume:
    """How large a store is.

    file_bytes: of the file with all that belongs into it; free_bytes: of these, not in use.
    wal_bytes: of what waits beside the file to be put into it.
    names: texts that are kept once for many events. sessions: that any event names.
    """

    file_bytes: int
    free_bytes: int
    wal_bytes: int
    names: int
    sessions: int
    schema_version: int


class EventStore(Protocol):
    """One store of events, open for reading. Raises StoreError when it cannot be read.

    Each answer is of one moment; a writer never waits for a reader, nor a reader for a writer.
    """

    def requests(self, where: Filter, limit: int) -> list[Recorded]:
        """The newest requests by arrival, the newest first; equal times by `seq`."""

    def requests_after(self, seq: int, where: Filter, limit: int) -> list[Recorded]:
        """The first requests committed after `seq`, in the order of commits."""

    def last_seq(self) -> int:
        """`seq` of the last request committed; 0 in an empty store."""

    def measures(self, where: Filter, by: Sequence[Dimension]) -> list[Measure]:
        """Sums by dimensions and latency bucket, in no order."""

    def names(self, of: Dimension, limit: int) -> list[str]:
        """The names there are, in the order of the alphabet; at most `limit`."""

    def shares(self) -> list[Share]:
        """What is of each server, in no order."""

    def volume(self) -> Volume:
        """How large it is."""

    @property
    def offered(self) -> OfferedStore:
        """What servers offered."""

    def close(self) -> None:
        """Let go of the store."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
