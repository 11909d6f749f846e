"""From a file, the environment and the command line to one frozen model, or all that is wrong.

The command line beats the environment, the environment the file, the file the defaults. What is
beaten is checked all the same.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from mcpr.settings.document import Document
from mcpr.settings.fields import Key, keys_of
from mcpr.settings.kinds import BadValue, Kind, ListOf, MapOf, Table
from mcpr.settings.mistakes import Mistake, Place, SettingsError, nearest
from mcpr.settings.places import KeyPath
from mcpr.settings.substitution import Surroundings, substitute

T = TypeVar("T")
_WRONG: Final = object()
_MOST_QUOTED = 60
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Given(NamedTuple):
    """A value of the environment or the command line: a text, or what a file would give."""

    path: KeyPath
    value: object
    place: Place


class Objection(NamedTuple):
    """What a table's `objections` yields. keys: dotted, from that table; the first is blamed."""

    keys: Sequence[str]
    reason: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. places: where each value that is set comes from."""

    model: Any
    places: Mapping[KeyPath, Place]
    secret_paths: frozenset[KeyPath]


def read(
    model: type[T], document: Document, given: Iterable[Given], variables: Mapping[str, str]
) -> tuple[T, Reading]:
    """The model, and where its values come from. Raises SettingsError with every mistake."""
    around = Surroundings(variables, document.folder)
    reader = _Reader(document, around, keys_of(model), list(document.mistakes))
    # The strongest comes last.
    for each in sorted(given, key=lambda each: -each.place.order):
        reader.given[each.path] = each
    result = reader.table(model, document.data, ())
    if reader.mistakes:
        raise SettingsError(reader.mistakes)
    assert isinstance(result, model)
    reading = Reading(result, reader.places, frozenset(reader.secret_paths))
    return result, reading


@dataclass
class _Reader:
    """One reading: mistakes and places gather while it goes down the tables."""

    document: Document
    around: Surroundings
    top: Mapping[str, Key]
    mistakes: list[Mistake]
    given: dict[KeyPath, Given] = field(default_factory=dict)
    wrong: set[KeyPath] = field(default_factory=set)
    places: dict[KeyPath, Place] = field(default_factory=dict)
    secret_paths: set[KeyPath] = field(default_factory=set)
    tables: dict[str, object] = field(default_factory=dict)

    def table(self, model: type, raw: Mapping[str, Any], path: KeyPath, base: object = None) -> Any:
        """A table and all that is in it; with defaults where something is wrong."""
        keys = keys_of(model)
        for name in raw:
            if name not in keys:
                self._unknown(name, raw[name], path, keys)
        values: dict[str, Any] = {}
        is_whole = True
        for name, key in keys.items():
            inherited = getattr(base, name) if base is not None else key.default
            value = self._key(key, raw, (*path, name), inherited)
            if value is _WRONG:
                value = inherited
            elif value is None and key.is_needed and (*path, name) not in self.wrong:
                self._missing(key, path)
            is_whole = is_whole and not (key.is_needed and value is None)
            values[name] = value
        if not is_whole:
            return _WRONG
        result = model(**values)
        self._object(result, path)
        return result

    def _key(self, key: Key, raw: Mapping[str, Any], path: KeyPath, default: Any) -> Any:
        """The value of a key: of the strongest that gives one."""
        kind = key.kind
        if isinstance(kind, Table):
            return self._inner(key, kind, raw.get(key.name), path)
        value = default
        if key.name in raw:
            self.places[path] = self.document.place(path)
            value = self._value(kind, raw[key.name], path, key)
        given = self.given.get(path)
        if given is not None:
            self.places[path] = given.place
            self.secret_paths.discard(path)
            value = self._given(kind, given, key)
        return value

    def _inner(self, key: Key, kind: Table, raw: object, path: KeyPath) -> Any:
        """A table within, or many."""
        base = self.tables.get(key.about.inherits or "")
        if kind.many:
            if raw is None:
                return ()
            if not isinstance(raw, list):
                step = f"write its head as [[{_dotted(path)}]], for there may be several"
                return self._wrong(path, f"is {_shape(raw)} where tables are needed", step)
            items = [
                self.table(kind.model, item, (*path, number))
                if isinstance(item, dict)
                else self._wrong((*path, number), "is no table", f"write [[{_dotted(path)}]]")
                for number, item in enumerate(raw)
            ]
            return tuple(item for item in items if item is not _WRONG)
        if raw is not None and not isinstance(raw, dict):
            step = f"write its head as [{_dotted(path)}], and its keys below"
            raw = self._wrong(path, f"is {_shape(raw)} where one table is needed", step)
        if raw is not None and raw is not _WRONG:
            self.places[path] = self.document.place(path)
        if raw is None and key.default is None and base is None and not self._is_given(path):
            return None
        whole = raw if isinstance(raw, dict) else {}
        result = self.table(kind.model, whole, path, base)
        if len(path) == 1:
            self.tables[str(path[0])] = result
        return result

    def _is_given(self, path: KeyPath) -> bool:
        """Whether the environment or the command line gives something in a table."""
        return any(given[: len(path)] == path for given in self.given)

    def _value(self, kind: Kind, raw: object, path: KeyPath, key: Key) -> Any:
        """A value of the file. Whatever is wrong in it is noted."""
        if isinstance(kind, ListOf) and isinstance(raw, list):
            items = [self._value(kind.item, item, (*path, at), key) for at, item in enumerate(raw)]
            return _WRONG if _WRONG in items else tuple(items)
        if isinstance(kind, MapOf) and isinstance(raw, dict):
            entries = {
                name: self._value(kind.item, item, (*path, name), key) for name, item in raw.items()
            }
            return _WRONG if _WRONG in entries.values() else entries
        is_shown = not key.about.secret
        try:
            if not isinstance(raw, str):
                return kind.read(raw)
            text = substitute(raw, self.around)
            is_shown = is_shown and not text.is_foreign
            if text.is_secret:
                self.secret_paths.add(path)
            return _read_text(kind, text.text) if text.is_foreign else kind.read(raw)
        except BadValue as error:
            return self._wrong(path, *_said(raw, error, is_shown=is_shown))

    def _given(self, kind: Kind, given: Given, key: Key) -> Any:
        """A value of the environment or the command line."""
        value = given.value
        try:
            if isinstance(value, str):
                return _read_text(kind, value)
            if isinstance(kind, ListOf) and isinstance(value, Sequence):
                return tuple(kind.item.read(item) for item in value)
            return kind.read(value)
        except BadValue as error:
            self.wrong.add(given.path)
            reason, step = _said(value, error, is_shown=not key.about.secret)
            self.mistakes.append(Mistake(given.place, "", reason, step))
            return _WRONG

    # -- what is wrong ------------------------------------------------------------------------

    def _wrong(self, path: KeyPath, reason: str, step: str) -> Any:
        self.wrong.add(path)
        self.mistakes.append(Mistake(self.document.place(path), _dotted(path), reason, step))
        return _WRONG

    def _missing(self, key: Key, path: KeyPath) -> None:
        if self.document.is_whole:
            example = key.about.example or f'"{key.name}"'
            step = f"add {key.name} = {example}"
            place = self.document.place(path)
            self.wrong.add((*path, key.name))
            self.mistakes.append(Mistake(place, _dotted(path), f"needs the key {key.name}", step))

    def _unknown(self, name: str, value: Any, path: KeyPath, keys: Mapping[str, Key]) -> None:
        is_table = isinstance(value, dict) or (
            isinstance(value, list) and bool(value) and isinstance(value[0], dict)
        )
        alike = [each for each, key in keys.items() if isinstance(key.kind, Table) == is_table]
        meant = nearest(name, alike)
        if meant is not None:
            step = f"probably {_dotted((*path, meant))} is meant"
        elif home := None if is_table else self._home_of(name):
            step = f"it belongs {home}"
        else:
            what = "tables" if is_table else "keys"
            step = f"the {what} here are {', '.join(alike)}" if alike else "leave it out"
        self._wrong((*path, name), f"there is no such {'table' if is_table else 'key'}", step)

    def _home_of(self, name: str) -> str | None:
        """Where a key of this very name is known, the top level first."""
        if name in self.top:
            return "at the top, above the first [table]"
        for table, key in self.top.items():
            if isinstance(key.kind, Table) and name in keys_of(key.kind.model):
                return f"into [[{table}]]" if key.kind.many else f"into [{table}]"
        return None

    def _object(self, table: Any, path: KeyPath) -> None:
        """Ask the table what does not fit together in it, where that is not known to be wrong."""
        ask: Callable[[], Iterable[Objection]] = getattr(table, "objections", tuple)
        for keys, reason, step in ask():
            paths: list[KeyPath] = [(*path, *key.split(".")) for key in keys]
            is_known = any(wrong[: len(one)] == one for wrong in self.wrong for one in paths)
            # What a line that could not be read would have said, nobody knows.
            is_missing = not self.document.is_whole and paths[0] not in self.places
            if not is_known and not is_missing:
                place = self.places.get(paths[0]) or self.document.place(paths[0])
                key = _dotted(paths[0]) if place.order == 2 else ""
                self.mistakes.append(Mistake(place, key, reason, step))


def _read_text(kind: Kind, text: str) -> Any:
    """A value of the environment, or of what a file put together: lists and tables by commas."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if isinstance(kind, ListOf):
        return tuple(kind.item.read_text(part) for part in parts)
    if isinstance(kind, MapOf):
        pairs = [part.partition("=") for part in parts]
        if not all(name and equals for name, equals, _ in pairs):
            raise BadValue("is no list of pairs", "write name=value,name=value", is_quotable=False)
        return {name.strip(): kind.item.read_text(value.strip()) for name, _, value in pairs}
    return kind.read_text(text)


def _said(value: object, error: BadValue, *, is_shown: bool) -> tuple[str, str]:
    """Reason and next step, with the value quoted where it may be."""
    shown = "the value"
    if is_shown and error.is_quotable:
        if isinstance(value, str):
            shown = f'"{value}"' if len(value) <= _MOST_QUOTED else f'"{value[:_MOST_QUOTED]}…"'
        elif isinstance(value, int | float):
            shown = str(value).lower() if abs(value) < 1e15 else "the number"
    return f"{shown} {error.reason}", error.next_step


def _shape(value: object) -> str:
    if isinstance(value, dict):
        return "one table"
    return "a list" if isinstance(value, list) else "a single value"


def _dotted(path: KeyPath) -> str:
    """As people write it: `server[1].limits.exchanges`, counted from 1."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            name = part if _BARE.fullmatch(part) else f'"{part}"'
            text += f".{name}" if text else name
    return text
