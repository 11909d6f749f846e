"""What is different between two readings, and which of it a reload can make work."""

from collections.abc import Iterator
from typing import NamedTuple

from mcpr.settings.fields import keys_of
from mcpr.settings.kinds import Table


class Change(NamedTuple):
    """A key whose value differs. key: dotted. reload: no restart is needed for it."""

    key: str
    reload: bool


def changes(old: object, new: object, within: str = "") -> Iterator[Change]:
    """The keys that differ between two models of the same kind, table by table."""
    for name, key in keys_of(type(new)).items():
        before, after = getattr(old, name), getattr(new, name)
        dotted = f"{within}{name}"
        if before == after:
            continue
        if isinstance(key.kind, Table) and not key.kind.many and type(before) is type(after):
            yield from changes(before, after, f"{dotted}.")
        elif isinstance(key.kind, Table) and key.kind.many and len(before) == len(after):
            for number, (one, other) in enumerate(zip(before, after, strict=True), 1):
                yield from changes(one, other, f"{dotted}[{number}].")
        else:
            yield Change(dotted, key.about.reload)
