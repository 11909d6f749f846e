"""The question "what does a server offer?": one row for each list, as it stands."""

from dataclasses import dataclass

from mcpr.events.schema import ListName, Verdict
from mcpr.store.engine import EventStore
from mcpr.store.offered import Version

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class SchemaRow:
    """A list of a server, by the version that was seen last. Times in epoch ms.

    items: how many; bytes: what they weigh as the server sends them; tokens: an estimate.
    versions: how many there were. shown: of these, how many are shown: see `shown`.
    changed_ms, verdict: of the last change; None for a first version.
    stale_ms: when the server said that the list has changed, until it is listed again.
    suspicions: definitions that hide something or give orders. approved: whether somebody approved
    this version; None where nothing of this list was ever approved.
    switches: returns to earlier versions that are not among the changes. unrecorded: versions.
    """

    server: str
    list: ListName
    version: int
    items: int
    bytes: int
    tokens: int
    versions: int
    shown: int
    first_ms: int
    last_ms: int
    changed_ms: int | None
    verdict: Verdict | None
    stale_ms: int | None
    suspicions: int
    approved: bool | None
    switches: int
    unrecorded: int
    hash: str


def schema(
    store: EventStore, server: str | None = None, which: ListName | None = None
) -> list[SchemaRow]:
    """Every list that was ever seen, by server and list."""
    offered = store.offered
    lists: dict[tuple[str, ListName], list[Version]] = {}
    for version in offered.versions(server, which):
        lists.setdefault((version.server, version.list), []).append(version)
    marks = {(mark.server, mark.list): mark for mark in offered.marks()}
    last: dict[tuple[str, ListName], tuple[int, Verdict | None]] = {}
    for change in offered.changes(None, server, which):
        last.setdefault((change.server, change.list), (change.ts_ms, change.verdict))
    rows = []
    for key, versions in lists.items():
        now = current(versions)
        mark = marks.get(key)
        changed_ms, verdict = last.get(key, (None, None))
        approvals = [version.approved_ms is not None for version in versions]
        rows.append(
            SchemaRow(
                server=now.server,
                list=now.list,
                version=now.version,
                items=now.items,
                bytes=now.bytes,
                tokens=now.tokens,
                versions=len(versions),
                shown=len(shown(versions)),
                first_ms=min(version.first_ms for version in versions),
                last_ms=now.last_ms,
                changed_ms=changed_ms,
                verdict=verdict,
                stale_ms=None if mark is None else mark.stale_ms,
                suspicions=now.suspicions,
                approved=now.approved_ms is not None if any(approvals) else None,
                switches=0 if mark is None else mark.switches,
                unrecorded=0 if mark is None else mark.unrecorded,
                hash=now.hash,
            )
        )
    return rows


def current(versions: list[Version]) -> Version:
    """The version that was seen last; of several at once, the newest."""
    return max(versions, key=lambda version: (version.last_ms, version.version))


def shown(versions: list[Version]) -> list[Version]:
    """The versions that callers are shown: the current one, and others seen since it was first.

    Within a day: more than one where callers are shown different lists, or after a rollback.
    """
    now = current(versions)
    since_ms = max(now.first_ms, now.last_ms - DAY_MS)
    return [version for version in versions if version is now or version.last_ms > since_ms]
