"""The question "what is in the store, and how large is it?": the whole, then a row per server."""

from dataclasses import dataclass

from mcpr.store.engine import EventStore, Share


@dataclass(frozen=True, slots=True)
class StatsRow:
    """All of the store where `server` is None, else what is of one server.

    events: rows of every kind. sessions: that were named in them. oldest_ms, newest_ms: arrival of
    the first and the last, epoch ms; None where there is nothing.
    Of the whole only: last_seq, the events that were ever committed; names, texts that are kept
    once for many events; file_bytes, of which free_bytes are not in use; wal_bytes, what is not yet
    in the file; schema_version.
    """

    server: str | None
    events: int
    errors: int
    sessions: int
    oldest_ms: int | None
    newest_ms: int | None
    last_seq: int | None = None
    names: int | None = None
    file_bytes: int | None = None
    free_bytes: int | None = None
    wal_bytes: int | None = None
    schema_version: int | None = None


def stats(store: EventStore) -> list[StatsRow]:
    """The whole store, then its servers, the largest first."""
    volume = store.volume()
    shares = store.shares()
    oldest = (share.oldest_ms for share in shares)
    newest = (share.newest_ms for share in shares)
    whole = StatsRow(
        server=None,
        events=sum(share.events for share in shares),
        errors=sum(share.errors for share in shares),
        sessions=volume.sessions,
        oldest_ms=min(oldest, default=None),
        newest_ms=max(newest, default=None),
        last_seq=store.last_seq(),
        names=volume.names,
        file_bytes=volume.file_bytes,
        free_bytes=volume.free_bytes,
        wal_bytes=volume.wal_bytes,
        schema_version=volume.schema_version,
    )
    ordered = sorted(shares, key=lambda share: (-share.events, share.server))
    return [whole, *map(_row, ordered)]


def _row(share: Share) -> StatsRow:
    return StatsRow(
        share.server, share.events, share.errors, share.sessions, share.oldest_ms, share.newest_ms
    )
