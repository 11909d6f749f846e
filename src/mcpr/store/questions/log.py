"""The question "what happened?": recorded exchanges one by one, the newest first."""

from dataclasses import dataclass

from mcpr.events import Detail, Kind, Origin, Outcome, to_text
from mcpr.store.engine import Cursor, EventStore, Filter, Recorded

_NO_DETAIL = Detail()


@dataclass(frozen=True, slots=True)
class LogRow:
    """One request, or one other exchange. Times in epoch ms, durations in µs, sizes in bytes.

    The fields up to `revision` are the public part of the event, in its words; those after it are
    the local part, with `raw_method` for the method as it was sent where the public part had to
    bound it. seq: the row's place in the order of commits.
    """

    seq: int
    id: str
    ts_ms: int
    server: str
    kind: Kind
    method: str | None
    tool: str | None
    outcome: Outcome
    origin: Origin | None
    http_status: int | None
    rpc_code: int | None
    latency_us: int
    upstream_us: int | None
    bytes_in: int
    bytes_out: int
    session: str | None
    client: str | None
    client_version: str | None
    revision: str | None
    subject: str | None
    raw_method: str | None
    error_text: str | None
    client_name: str | None
    http_method: str | None
    path: str | None
    note: str | None
    upstream_first_us: int | None

    @property
    def cursor(self) -> Cursor:
        """What to ask with for the page after this row."""
        return Cursor(self.ts_ms, self.seq)


@dataclass(frozen=True, slots=True)
class News:
    """What `follow` found. cursor: what to ask it with the next time."""

    rows: list[LogRow]
    cursor: int


def log(store: EventStore, where: Filter, limit: int, before: Cursor | None = None) -> list[LogRow]:
    """The newest `limit` exchanges of every kind, by arrival, the newest first.

    before: the last row of the page before this one.
    """
    return [_row(recorded) for recorded in store.requests(where, limit, before)]


def follow(store: EventStore, where: Filter, cursor: int, limit: int = 1_000) -> News:
    """What was committed after `cursor`, in the order of commits; at most `limit` rows at once.

    Whoever starts at `store.last_seq()` and asks again with each answer's cursor sees every
    matching row exactly once, no matter how many processes write.
    """
    # Asked first: all that is committed up to here either matches and comes, or never will.
    last = store.last_seq()
    found = store.requests_after(cursor, where, limit)
    if found:
        cursor = found[-1].seq
    if len(found) < limit:
        cursor = max(cursor, last)
    return News([_row(recorded) for recorded in found], cursor)


def _row(recorded: Recorded) -> LogRow:
    event = recorded.event
    detail = event.detail or _NO_DETAIL
    return LogRow(
        seq=recorded.seq,
        id=to_text(event.id),
        ts_ms=event.ts_ms,
        server=event.server,
        kind=event.kind,
        method=event.method,
        tool=event.tool,
        outcome=event.outcome,
        origin=event.origin,
        http_status=event.http_status,
        rpc_code=event.rpc_code,
        latency_us=event.latency_us,
        upstream_us=event.upstream_us,
        bytes_in=event.bytes_in,
        bytes_out=event.bytes_out,
        session=event.session,
        client=event.client,
        client_version=event.client_version,
        revision=event.revision,
        subject=detail.subject,
        raw_method=detail.method,
        error_text=detail.error_text,
        client_name=detail.client_name,
        http_method=detail.http_method,
        path=detail.path,
        note=detail.note,
        upstream_first_us=detail.upstream_first_us,
    )
