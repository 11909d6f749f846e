"""The difference of two versions of a list: what came, went, was renamed, changed, and how bad.

Items are told apart by their names (`lists.KEYS`). An item that went and one that came are one
renamed item when everything but the name is the same: a new name must not hide an old definition,
nor an old definition's approval cover a new name.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

from mcpr.events.schema.canonical import Item, value_of
from mcpr.events.schema.lists import KEYS, ListName, Verdict, worst
from mcpr.events.schema.shapes import MAX_DIFFERENCES, Difference, compare_shapes, shown

Kind = Literal["added", "removed", "modified", "renamed"]


class Change(NamedTuple):
    """One item of a list. name: its new one; was: its old one, where it was renamed."""

    kind: Kind
    name: str
    was: str | None
    verdict: Verdict
    differences: tuple[Difference, ...]


class Diff(NamedTuple):
    """All changed items, by name."""

    changes: tuple[Change, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        return worst(change.verdict for change in self.changes)

    def names(self, *kinds: Kind) -> list[str]:
        """The names of the items that changed so. A renamed one has its new name here."""
        return [change.name for change in self.changes if change.kind in kinds]


def compare(which: ListName, old: Sequence[Item], new: Sequence[Item]) -> Diff:
    """Compare two versions of a list."""
    before = {item.name: item for item in old}
    after = {item.name: item for item in new}
    gone = [before[name] for name in sorted(before.keys() - after.keys())]
    come = [after[name] for name in sorted(after.keys() - before.keys())]
    changes = [
        _modified(which, before[name], after[name])
        for name in before.keys() & after.keys()
        if before[name].body != after[name].body
    ]
    for was, now in _renamed(which, gone, come):
        gone.remove(was)
        come.remove(now)
        changes.append(Change("renamed", now.name, was.name, "breaking", ()))
    changes += [Change("removed", item.name, None, _REMOVED[which], ()) for item in gone]
    changes += [Change("added", item.name, None, _ADDED[which], ()) for item in come]
    return Diff(tuple(sorted(changes, key=lambda change: (change.name, change.kind))))


#: A model may choose a tool that was not there; it reads a resource when somebody names it.
_ADDED: Final[dict[ListName, Verdict]] = {
    "tools": "risky",
    "prompts": "cosmetic",
    "resources": "cosmetic",
    "templates": "cosmetic",
    "server": "risky",
}
_REMOVED: Final[dict[ListName, Verdict]] = {
    "tools": "breaking",
    "prompts": "breaking",
    "resources": "breaking",
    "templates": "breaking",
    "server": "risky",
}


def _renamed(
    which: ListName, gone: Sequence[Item], come: Sequence[Item]
) -> Iterator[tuple[Item, Item]]:
    """Pairs that agree in all but their name; each item in one of them."""
    if which == "server" or not gone or not come:
        return
    left: dict[str, list[Item]] = {}
    for item in gone:
        left.setdefault(_without_name(which, item), []).append(item)
    for item in come:
        same = left.get(_without_name(which, item))
        if same:
            yield same.pop(0), item


def _without_name(which: ListName, item: Item) -> str:
    value = value_of(item.body)
    if not isinstance(value, dict):
        return item.body.decode("ascii", "replace")
    dropped = {KEYS[which], "title"} | ({"name"} if which in {"resources", "templates"} else set())
    rest = {key: inner for key, inner in value.items() if key not in dropped}
    # Items that say nothing but their name are not the same for that.
    return repr(sorted(rest.items(), key=repr)) if rest else item.name


def _modified(which: ListName, old: Item, new: Item) -> Change:
    differences = _bounded(_differences(which, value_of(old.body), value_of(new.body)))
    if not differences:
        # The bodies differ, and no rule says how.
        differences = (Difference("", "changed", "risky"),)
    verdict = worst(difference.verdict for difference in differences)
    return Change("modified", new.name, None, verdict, differences)


def _bounded(found: Iterator[Difference]) -> tuple[Difference, ...]:
    every = list(found)
    if len(every) <= MAX_DIFFERENCES:
        return tuple(every)
    rest = every[MAX_DIFFERENCES:]
    last = Difference("", f"{len(rest)} more", worst(difference.verdict for difference in rest))
    return (*every[:MAX_DIFFERENCES], last)


def _differences(which: ListName, old: Any, new: Any) -> Iterator[Difference]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        yield Difference("", "is not an object", "risky")
        return
    for name in sorted(old.keys() | new.keys()):
        first, second = old.get(name), new.get(name)
        if first == second and type(first) is type(second):
            continue
        compare_members = _SPECIAL.get((which, name)) or _SPECIAL.get((None, name))
        if compare_members is not None:
            yield from compare_members(name, first, second)
            continue
        verdict = _MEMBERS.get((which, name)) or _MEMBERS.get((None, name), "risky")
        yield Difference(name, f"{shown(first)} became {shown(second)}", verdict)


def _input(name: str, old: Any, new: Any) -> Iterator[Difference]:
    return compare_shapes({} if old is None else old, {} if new is None else new, name, "in")


def _output(name: str, old: Any, new: Any) -> Iterator[Difference]:
    if old is None:
        yield Difference(name, "was added", "cosmetic")
    elif new is None:
        yield Difference(name, "was removed", "breaking")
    else:
        yield from compare_shapes(old, new, name, "out")


def _arguments(name: str, old: Any, new: Any) -> Iterator[Difference]:
    """A prompt's arguments: named, and required or not."""
    before, after = _by_name(old), _by_name(new)
    for key in sorted(before.keys() - after.keys()):
        yield Difference(f"{name}.{key}", "was removed", "breaking")
    for key in sorted(after.keys() - before.keys()):
        is_required = after[key].get("required") is True
        what = "was added, and is required" if is_required else "was added"
        yield Difference(f"{name}.{key}", what, "breaking" if is_required else "cosmetic")
    for key in sorted(before.keys() & after.keys()):
        was, now = before[key].get("required") is True, after[key].get("required") is True
        if now and not was:
            yield Difference(f"{name}.{key}", "became required", "breaking")
        elif was and not now:
            yield Difference(f"{name}.{key}", "is not required any more", "cosmetic")
        if _rest_of(before[key]) != _rest_of(after[key]):
            yield Difference(f"{name}.{key}", "is described in other words", "risky")


def _rest_of(argument: dict[str, Any]) -> dict[str, Any]:
    return {key: inner for key, inner in argument.items() if key != "required"}


def _by_name(said: Any) -> dict[str, dict[str, Any]]:
    arguments = said if isinstance(said, list) else []
    return {str(one.get("name")): one for one in arguments if isinstance(one, dict)}


def _meta(name: str, old: Any, new: Any) -> Iterator[Difference]:
    """What hosts act on in `_meta` (MCP Apps) is risky, the rest is not."""
    before = old if isinstance(old, dict) else {}
    after = new if isinstance(new, dict) else {}
    for key in sorted(before.keys() | after.keys()):
        first, second = before.get(key), after.get(key)
        if first != second:
            verdict: Verdict = "risky" if key.startswith(("ui", "openai/", "mcp/")) else "cosmetic"
            yield Difference(f"{name}.{key}", f"{shown(first)} became {shown(second)}", verdict)


def _execution(name: str, old: Any, new: Any) -> Iterator[Difference]:
    """`taskSupport: required` refuses whoever calls as before."""
    demands = isinstance(new, dict) and new.get("taskSupport") == "required"
    verdict: Verdict = "breaking" if demands else "risky"
    yield Difference(name, f"{shown(old)} became {shown(new)}", verdict)


def _annotations(name: str, old: Any, new: Any) -> Iterator[Difference]:
    before = old if isinstance(old, dict) else {}
    after = new if isinstance(new, dict) else {}
    for key in sorted(before.keys() | after.keys()):
        first, second = before.get(key), after.get(key)
        if first != second:
            verdict: Verdict = "cosmetic" if key in {"title", "lastModified"} else "risky"
            yield Difference(f"{name}.{key}", f"{shown(first)} became {shown(second)}", verdict)


def _capabilities(name: str, old: Any, new: Any) -> Iterator[Difference]:
    before = old if isinstance(old, dict) else {}
    after = new if isinstance(new, dict) else {}
    for key in sorted(before.keys() | after.keys()):
        first, second = before.get(key), after.get(key)
        if first == second:
            continue
        if second is None:
            yield Difference(f"{name}.{key}", "was removed", "breaking")
        elif first is None:
            yield Difference(f"{name}.{key}", "was added", "cosmetic")
        else:
            yield Difference(f"{name}.{key}", f"{shown(first)} became {shown(second)}", "risky")


_SPECIAL: Final[
    dict[tuple[ListName | None, str], Callable[[str, Any, Any], Iterator[Difference]]]
] = {
    ("tools", "inputSchema"): _input,
    ("tools", "outputSchema"): _output,
    ("tools", "execution"): _execution,
    ("prompts", "arguments"): _arguments,
    (None, "annotations"): _annotations,
    (None, "_meta"): _meta,
    ("server", "capabilities"): _capabilities,
}
#: Members without rules of their own. What is not here is risky: nobody can tell.
_MEMBERS: Final[dict[tuple[ListName | None, str], Verdict]] = {
    (None, "title"): "cosmetic",
    (None, "icons"): "cosmetic",
    (None, "description"): "risky",
    ("resources", "name"): "cosmetic",
    ("resources", "size"): "cosmetic",
    ("templates", "name"): "cosmetic",
    ("server", "version"): "cosmetic",
    ("server", "websiteUrl"): "cosmetic",
    ("server", "instructions"): "risky",
}
