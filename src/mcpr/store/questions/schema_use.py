"""The question "which tools are used?": those that are listed, beside those that are called."""

from dataclasses import dataclass
from typing import Literal

from mcpr.events.schema.event import public_names
from mcpr.store.engine import EventStore, Filter
from mcpr.store.offered import Definition, Version
from mcpr.store.questions.schema import shown
from mcpr.store.questions.tools import ToolRow, tools

#: unused: listed and not called. ok, errors: called, and whether any call failed.
#: unknown: called, and in no list. gone: called, and only in earlier lists.
#: uncounted: listed under a name that calls are not recorded under.
Use = Literal["unused", "ok", "errors", "unknown", "gone", "uncounted"]


@dataclass(frozen=True, slots=True)
class UseRow:
    """A tool. bytes: what its definition weighs as the server sends it; tokens: an estimate.

    Both are None for one that is not listed. p95 in µs and last_call_ms: None without a call.
    suspicions: what its definition hides or orders, separated by commas.
    """

    server: str
    tool: str
    use: Use
    calls: int
    errors: int
    p95_us: int | None
    last_call_ms: int | None
    bytes: int | None
    tokens: int | None
    suspicions: str


def schema_use(store: EventStore, where: Filter) -> list[UseRow]:
    """Tools that are listed or were called in the window, those that nobody called first."""
    by_server: dict[str, list[Version]] = {}
    for version in store.offered.versions(where.server, "tools"):
        by_server.setdefault(version.server, []).append(version)
    called = {(row.server, row.tool): row for row in tools(store, where)}
    rows = []
    for server, versions in by_server.items():
        listed, ever = _listed(store, versions)
        rows += [_row(server, name, one, called) for name, one in listed.items()]
        rows += [
            _unlisted(row, is_gone=row.tool in ever)
            for (owner, tool), row in called.items()
            if owner == server and tool not in listed
        ]
    order = ("unused", "uncounted", "unknown", "gone", "errors", "ok")
    return sorted(rows, key=lambda row: (row.server, order.index(row.use), row.tool))


def _listed(
    store: EventStore, versions: list[Version]
) -> tuple[dict[str, Definition], frozenset[str]]:
    """The tools of all versions that are shown to anybody, and the names of all there were."""
    visible = shown(versions)
    listed: dict[str, Definition] = {}
    ever: set[str] = set()
    for version in sorted(versions, key=lambda version: (version.last_ms, version.version)):
        definitions = {one.item.name: one for one in store.offered.definitions(version.key)}
        ever |= definitions.keys()
        if version in visible:
            listed |= definitions
    return listed, frozenset(ever)


def _row(server: str, name: str, one: Definition, called: dict[tuple[str, str], ToolRow]) -> UseRow:
    row = called.get((server, name))
    use: Use = "unused"
    if public_names([name]) != (name,):
        use = "uncounted"
    elif row is not None:
        use = "errors" if row.errors else "ok"
    return UseRow(
        server=server,
        tool=name,
        use=use,
        calls=0 if row is None else row.calls,
        errors=0 if row is None else row.errors,
        p95_us=None if row is None else row.p95_us,
        last_call_ms=None if row is None else row.last_call_ms,
        bytes=one.item.size,
        tokens=-(-len(one.item.body) // 4),
        suspicions=", ".join(one.suspicions),
    )


def _unlisted(row: ToolRow, *, is_gone: bool) -> UseRow:
    return UseRow(
        server=row.server,
        tool=row.tool,
        use="gone" if is_gone else "unknown",
        calls=row.calls,
        errors=row.errors,
        p95_us=row.p95_us,
        last_call_ms=row.last_call_ms,
        bytes=None,
        tokens=None,
        suspicions="",
    )
