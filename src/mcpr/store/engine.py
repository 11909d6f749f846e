"""What a question may ask of an engine. An engine answers in rows and sums, never in percentiles.

Every engine gives exactly equal answers: text compares byte by byte, numbers are integers, and a
latency is counted by its bucket (`mcpr.events.latency`), which adds up over any rows.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self

from mcpr.errors import UsageError
from mcpr.events import Kind, Outcome, RequestEvent, SessionEvent
from mcpr.store.offered import OfferedStore
from mcpr.store.window import Window

Dimension = Literal[
    "server",
    "kind",
    "method",
    "tool",
    "outcome",
    "origin",
    "http_status",
    "rpc_code",
    "client",
    "client_version",
    "client_name",
    "revision",
    "note",
]
Value = str | int | None

_PREFIX = re.compile(r"[0-9a-f]{1,32}")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which requests a question is about. None means: any.

    window: by the arrival of the request (`ts_ms`).
    client: the client's slug, or the name by which it called itself.
    session, id: the beginning, in hex digits; an id may have its dashes. Raises UsageError.
    errors_only: only outcomes that count as errors.
    min_us, max_us: of the latency, both included.
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
    min_us: int | None = None
    max_us: int | None = None

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
    """Sums over requests that agree in `key`; they add up further.

    key: the values of the dimensions that were asked for, in that order.
    buckets: how many of the calls lie in each latency bucket; none with 0.
    at_ms: where the step begins that they arrived in; 0 where no steps were asked for.
    """

    key: tuple[Value, ...]
    buckets: Mapping[int, int]
    calls: int
    errors: int
    sum_us: int
    max_us: int
    bytes_in: int
    bytes_out: int
    last_ms: int
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Steps:
    """Equal spans of time, one of which begins at `origin_ms`; they cut a window into columns."""

    step_ms: int
    origin_ms: int = 0

    def at(self, ts_ms: int) -> int:
        """Where the step begins that holds this instant."""
        return ts_ms - (ts_ms - self.origin_ms) % self.step_ms


@dataclass(frozen=True, slots=True)
class Failure:
    """Errors that agree in all this, and in the words of the error. They add up further."""

    key: tuple[Value, ...]
    error_text: str | None
    session: str | None
    calls: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class TrailStep:
    """A request as a step of its session. ts_ms: its arrival, epoch ms."""

    session: str | None
    ts_ms: int
    server: str
    method: str | None
    tool: str | None
    is_error: bool
    bytes_out: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page: the next one goes on with what is older."""

    ts_ms: int
    seq: int


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session as it stands in a store. Times in epoch ms.

    opened_ms: None for a session that requests named without anybody having seen it begin.
    ended_ms, ended_by: by `deleted` or `lost`; None while it has not, or was seen alive since.
    is_inferred: put together from requests of the stateless wire. is_shared: two callers opened it.
    calls, errors: JSON-RPC requests. tools: how many different ones were called.
    """

    session: str
    server: str | None
    is_inferred: bool
    is_shared: bool
    opened_ms: int | None
    last_ms: int
    ended_ms: int | None
    ended_by: Literal["deleted", "lost"] | None
    calls: int
    errors: int
    tools: int
    client: str | None
    client_version: str | None
    client_name: str | None
    server_name: str | None
    server_version: str | None
    revision: str | None


@dataclass(frozen=True, slots=True)
class SessionCount:
    """How many sessions a client has: by its slug, version and name."""

    client: str | None
    client_version: str | None
    client_name: str | None
    sessions: int


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

    def requests(self, where: Filter, limit: int, before: Cursor | None = None) -> list[Recorded]:
        """The newest requests by arrival, the newest first; equal times by `seq`.

        before: only what stands after that row in this order.
        """

    def slowest(self, where: Filter, limit: int) -> list[Recorded]:
        """The requests with the longest latency, the longest first; equal ones the newest first."""

    def requests_after(self, seq: int, where: Filter, limit: int) -> list[Recorded]:
        """The first requests committed after `seq`, in the order of commits."""

    def last_seq(self) -> int:
        """`seq` of the last request committed; 0 in an empty store."""

    def measures(
        self, where: Filter, by: Sequence[Dimension], steps: Steps | None = None
    ) -> list[Measure]:
        """Sums by dimensions, and by step if asked, in no order; each key and step once."""

    def failures(self, where: Filter, by: Sequence[Dimension]) -> list[Failure]:
        """Errors by dimensions, words and session, in no order."""

    def trail(self, where: Filter) -> Iterator[TrailStep]:
        """The requests session by session, each by arrival; those without a session first."""

    def count_sessions(self, where: Filter, *, alive_since_ms: int | None = None) -> int:
        """How many `sessions` there are."""

    def oldest_ms(self) -> int | None:
        """Arrival of the oldest request of all; None in an empty store."""

    def names(self, of: Dimension, limit: int) -> list[str]:
        """The names there are, in the order of the alphabet; at most `limit`."""

    def linked(self, where: Filter, limit: int) -> list[Recorded]:
        """The newest requests that are tied to others (`Link`), by arrival, the newest first."""

    def sessions(
        self, where: Filter, limit: int, *, alive_since_ms: int | None = None
    ) -> list[SessionRecord]:
        """The sessions that were last seen, the newest first.

        Of `where` only window, server, client, session and tool (that it ever called) count. A
        session is in a window that it has a part of. One that was only named is found by its hash
        alone.
        alive_since_ms: only those that were seen since then and have not ended before the window.
        """

    def session_counts(self, where: Filter) -> list[SessionCount]:
        """How many sessions each client has, in no order; of `where` what counts for sessions."""

    def session_events_after(self, seq: int, limit: int) -> list[tuple[int, SessionEvent]]:
        """The first sessions that began or ended after `seq`, in the order of commits."""

    def shares(self) -> list[Share]:
        """What is of each server, in no order."""

    def volume(self) -> Volume:
        """How large it is."""

    @property
    def offered(self) -> OfferedStore:
        """What servers offered."""

    def interrupt(self) -> None:
        """From any thread: what is being asked fails with StoreError. Idle, it does nothing."""

    def moment(self) -> AbstractContextManager[None]:
        """What is asked within sees one state of the store."""

    def close(self) -> None:
        """Let go of the store."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
