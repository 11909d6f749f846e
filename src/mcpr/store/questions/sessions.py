"""The question "which sessions are there?": one row each, the last seen first.

A session begins with a 2xx answer to `initialize`, and with that only. On the stateless wire there
is none; requests by one client to one server without a pause of half an hour make an *inferred*
conversation, which is marked.
"""

from dataclasses import dataclass
from typing import Literal

from mcpr.errors import UsageError
from mcpr.events import SessionState
from mcpr.store.engine import EventStore, Filter, SessionRecord

#: Seen within this time: active.
ACTIVE_MS = 5 * 60_000
#: Not seen for this long: ended, of idleness. An inferred conversation ends sooner.
IDLE_MS = 24 * 3_600_000
IDLE_INFERRED_MS = 30 * 60_000

End = Literal["deleted", "lost", "idle"]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session. Times in epoch ms; `session` is the keyed hash of its id.

    state: `active` when it was seen in the 5 minutes before the question, `idle`, or `ended`.
    ended_ms, ended_by: `deleted` by its client, `lost` by its server (404), or `idle` for 24 h
    (half an hour when inferred), as of the last time that it was seen.
    started_ms: None when nobody saw it begin. calls, errors, tools: JSON-RPC requests, those that
    failed, and how many different tools were called; since it began, whatever the window.
    is_shared: its id was given to two clients, so that it says nothing of who calls.
    client_name: as it was sent. server_name, server_version: as the server introduced itself.
    """

    session: str
    server: str | None
    state: SessionState
    is_inferred: bool
    is_shared: bool
    started_ms: int | None
    last_seen_ms: int
    ended_ms: int | None
    ended_by: End | None
    calls: int
    errors: int
    tools: int
    client: str | None
    client_version: str | None
    client_name: str | None
    server_name: str | None
    server_version: str | None
    revision: str | None


def sessions(
    store: EventStore, where: Filter, limit: int, now_ms: int, *, only_active: bool = False
) -> list[SessionRow]:
    """The newest `limit` sessions that have a part in the window, the last seen first."""
    alive_since_ms = now_ms - ACTIVE_MS if only_active else None
    found = store.sessions(where, limit, alive_since_ms=alive_since_ms)
    return [_row(record, now_ms) for record in found]


def session(store: EventStore, prefix: str, now_ms: int) -> SessionRow:
    """The one session whose hash begins so, seen to begin or not. Raises UsageError."""
    found = store.sessions(Filter(session=prefix), 4)
    if not found:
        raise UsageError(
            f"cannot find the session {prefix!r}",
            "no session in the store has a hash that begins so",
            "copy it from `mcpr sessions`, or from `mcpr logs -o json`",
            "usage.id",
        )
    if len(found) > 1:
        some = ", ".join(record.session[: len(prefix) + 4] for record in found[:3])
        raise UsageError(
            f"cannot tell which session {prefix!r} is",
            f"several begin so: {some}{', …' if len(found) > 3 else ''}",
            "give more of its digits",
            "usage.id",
        )
    return _row(found[0], now_ms)


def _row(record: SessionRecord, now_ms: int) -> SessionRow:
    ended_ms: int | None = record.ended_ms
    ended_by: End | None = record.ended_by
    quiet_ms = now_ms - record.last_ms
    if ended_ms is None and quiet_ms > (IDLE_INFERRED_MS if record.is_inferred else IDLE_MS):
        ended_ms, ended_by = record.last_ms, "idle"
    state: SessionState = "active" if quiet_ms <= ACTIVE_MS else "idle"
    return SessionRow(
        session=record.session,
        server=record.server,
        state=state if ended_ms is None else "ended",
        is_inferred=record.is_inferred,
        is_shared=record.is_shared,
        started_ms=record.opened_ms,
        last_seen_ms=record.last_ms,
        ended_ms=ended_ms,
        ended_by=ended_by,
        calls=record.calls,
        errors=record.errors,
        tools=record.tools,
        client=record.client,
        client_version=record.client_version,
        client_name=record.client_name,
        server_name=record.server_name,
        server_version=record.server_version,
        revision=record.revision,
    )
