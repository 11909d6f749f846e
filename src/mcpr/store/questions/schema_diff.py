"""The question "what is the difference?": two versions of a list, difference by difference."""

from dataclasses import dataclass

from mcpr.errors import UsageError
from mcpr.events.schema import ListName, Verdict, compare
from mcpr.events.schema.diff import Kind
from mcpr.store.engine import EventStore
from mcpr.store.offered import Version


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One difference of one item. was: its old name where it was renamed.

    path: where in the definition, dotted; empty where the whole item came or went. what: in words.
    """

    server: str
    list: ListName
    from_version: int
    version: int
    kind: Kind
    name: str
    was: str | None
    verdict: Verdict
    path: str
    what: str


def schema_diff(
    store: EventStore, server: str | None, which: ListName, old: int, new: int
) -> list[DiffRow]:
    """The differences from version `old` to `new`. Raises UsageError for what is not there.

    server: None where only one has such a list.
    """
    found = store.offered.versions(server, which)
    servers = sorted({version.server for version in found})
    if len(servers) != 1:
        raise _no_server(server, which, servers)
    before, after = (_version(found, number, which) for number in (old, new))
    items = (
        [one.item for one in store.offered.definitions(version.key)] for version in (before, after)
    )
    rows = []
    for change in compare(which, *items).changes:
        differences = [(one.path, one.what, one.verdict) for one in change.differences]
        rows += [
            DiffRow(
                servers[0],
                which,
                old,
                new,
                change.kind,
                change.name,
                change.was,
                verdict,
                path,
                what,
            )
            for path, what, verdict in differences or [("", "", change.verdict)]
        ]
    return rows


def _version(found: list[Version], number: int, which: ListName) -> Version:
    known = {version.version: version for version in found}
    version = known.get(number)
    if version is None:
        raise UsageError(
            f"cannot compare version {number} of the {which}",
            f"there is no such version; there are {_ranges(sorted(known))}",
            "`mcpr schema --changes` lists them",
        )
    if not version.is_whole:
        raise UsageError(
            f"cannot compare version {number} of the {which}",
            "its definitions are not kept any more",
            "choose a later one: `mcpr schema --changes` lists them",
        )
    return version


def _no_server(server: str | None, which: ListName, servers: list[str]) -> UsageError:
    if servers:
        return UsageError(
            f"cannot tell whose {which} are meant",
            f"there are those of {', '.join(servers)}",
            "name one with --server",
        )
    whose = "" if server is None else f" of {server!r}"
    return UsageError(
        f"cannot compare the {which}{whose}",
        "no such list has passed",
        "`mcpr schema` shows what has",
    )


def _ranges(numbers: list[int]) -> str:
    """Such as `1-3, 7`."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)
