"""The kinds of values that a setting can have: how each is read, shown, and told to an editor.

A kind reads what TOML gives, and text (of the environment, of a `${VAR}`); it knows no place and no
key. `kind_of` finds the kind of a dataclass field by its annotation.
"""

import re
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, get_args, get_origin

from mcpr.settings.mistakes import choices, nearest

Json: TypeAlias = dict[str, Any]


class BadValue(Exception):
    """reason: completes "the value …". next_step: what to write. is_quotable: it may be shown."""

    def __init__(self, reason: str, next_step: str, *, is_quotable: bool = True) -> None:
        super().__init__(reason, next_step)
        self.reason = reason
        self.next_step = next_step
        self.is_quotable = is_quotable


class Kind:
    """A kind of value. name: for people, such as `duration`."""

    name: str

    def read(self, value: object) -> object:
        """The value that a file gives. Raises BadValue."""
        if not isinstance(value, str):
            raise BadValue(f"is {_type_name(value)} where {self.article} is needed", self.advice)
        return self.read_text(value)

    def read_text(self, text: str) -> object:
        """The value that a text means. Raises BadValue."""
        return text

    def json_schema(self) -> Json:
        """What an editor may know of it, without what `${…}` allows. Source: JSON Schema 7."""
        return {"type": "string"}

    def show(self, value: Any) -> object:
        """The value as a file would have it: a text, number, flag, list or table."""
        return str(value)

    @property
    def article(self) -> str:
        """The name with its article."""
        return f"{'an' if self.name[0] in 'aeio' else 'a'} {self.name}"

    @property
    def advice(self) -> str:
        """What to write, where nothing more is known."""
        return 'write it in quotes, such as "text"'


class Text(Kind):
    """Any text, or one of a form. what: what it must be. example: one that is."""

    name = "text"

    def __init__(self, form: str = r"[\s\S]*", what: str = "a text", example: str = "text") -> None:
        self._form = re.compile(form)
        self._what = what
        self._example = example

    def read_text(self, text: str) -> object:
        """The text itself."""
        if self._form.fullmatch(text) is None:
            raise BadValue(f"is not {self._what}", f'write one such as "{self._example}"')
        return text

    def show(self, value: Any) -> object:
        """The text."""
        return value


class Flag(Kind):
    """true or false."""

    name = "flag"

    def read(self, value: object) -> object:
        """A boolean, and nothing that is like one."""
        if isinstance(value, bool):
            return value
        raise BadValue(f"is {_type_name(value)} where true or false is needed", self.advice)

    def read_text(self, text: str) -> object:
        """`true` or `false`, in any case."""
        if text.lower() not in {"true", "false"}:
            raise BadValue("is neither true nor false", self.advice)
        return text.lower() == "true"

    def json_schema(self) -> Json:
        """A boolean."""
        return {"type": "boolean"}

    def show(self, value: Any) -> object:
        """The flag itself."""
        return value

    @property
    def advice(self) -> str:
        """The two words."""
        return "write true or false, without quotes"


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number within bounds, both included."""

    least: int = 0
    most: int = 1_000_000_000
    name = "whole number"

    def read(self, value: object) -> object:
        """An integer, and no boolean."""
        if isinstance(value, int) and not isinstance(value, bool):
            return self._within(value)
        if isinstance(value, str) and value.isdecimal():
            raise BadValue("is a text where a number is needed", "write it without quotes")
        raise BadValue(f"is {_type_name(value)} where a whole number is needed", self.advice)

    def read_text(self, text: str) -> object:
        """Decimal digits."""
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise BadValue("is not a whole number", self.advice)
        return self._within(int(text))

    def _within(self, number: int) -> int:
        if not self.least <= number <= self.most:
            raise BadValue("is out of bounds", self.advice)
        return number

    def json_schema(self) -> Json:
        """An integer with its bounds."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def show(self, value: Any) -> object:
        """The number itself."""
        return value

    @property
    def advice(self) -> str:
        """The bounds."""
        return f"write a whole number from {self.least} to {self.most}"


@dataclass(frozen=True)
class Measured(Kind):
    """A number with a unit, read as a count of the smallest or as seconds.

    units: each with its factor, the largest last. least, most: bounds, as texts.
    """

    name: str
    units: tuple[tuple[str, float], ...]
    least: str
    most: str
    example: str

    def read(self, value: object) -> object:
        """A text such as `30s`."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            # Seconds are what most people mean; of sizes nobody knows.
            meant = f'"{value}s"' if self.name == "duration" else self.example
            raise BadValue("has no unit", f"write it with one, such as {meant}")
        return super().read(value)

    def read_text(self, text: str) -> object:
        """A number, maybe a decimal fraction, and a unit."""
        number = self._measure(text)
        if not self._measure(self.least) <= number <= self._measure(self.most):
            raise BadValue("is out of bounds", f"write {self.least} to {self.most}")
        return number

    def _measure(self, text: str) -> float:
        found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([A-Za-z]+)", text.strip())
        factor = dict(self.units).get(found[2]) if found is not None else None
        if found is None or factor is None:
            raise BadValue(f"is not {self.article}", self.advice)
        number = float(found[1]) * factor
        return int(number) if self.name == "size" else number

    def json_schema(self) -> Json:
        """A text of that form."""
        units = "|".join(unit for unit, _ in self.units)
        return {"type": "string", "pattern": rf"^[0-9]{{1,12}}(\.[0-9]{{1,6}})? ?({units})$"}

    def show(self, value: Any) -> object:
        """With the largest unit that leaves a whole number."""
        for unit, factor in reversed(self.units):
            number = value / factor
            if number >= 1 and abs(number - round(number)) < 1e-9:
                return f"{number:.0f}{unit}"
        unit, factor = self.units[0]
        return f"{value / factor:.0f}{unit}"

    @property
    def advice(self) -> str:
        """A number and one of the units."""
        units = choices(unit for unit, _ in self.units)
        return f"write a number and one of {units}, such as {self.example}"


_SECONDS = (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("d", 86_400.0))
# Decimal first: sizes are shown with the last unit that fits.
_BYTES = (
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1024.0),
    ("MiB", 1024.0**2),
    ("GiB", 1024.0**3),
)


def duration(least: str = "1ms", most: str = "24h") -> Measured:
    """A duration, read as seconds."""
    return Measured("duration", _SECONDS, least, most, '"30s"')


def size(least: str = "1KiB", most: str = "1GiB") -> Measured:
    """A size, read as bytes."""
    return Measured("size", _BYTES, least, most, '"5MiB"')


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words."""

    words: tuple[str, ...]
    name = "word"

    def read_text(self, text: str) -> object:
        """One of the words."""
        if text in self.words:
            return text
        meant = nearest(text, self.words)
        guess = f', probably "{meant}"' if meant else ""
        raise BadValue(f"is none of {choices(self.words)}", f"write one of them{guess}")

    def json_schema(self) -> Json:
        """The words."""
        return {"type": "string", "enum": list(self.words)}

    @property
    def advice(self) -> str:
        """The words."""
        return f"write {choices(f'{chr(34)}{word}{chr(34)}' for word in self.words)}"


class FilePath(Kind):
    """A path of a file; `~` is the home folder."""

    name = "path"

    def read_text(self, text: str) -> object:
        """The path."""
        if not text or "\0" in text:
            raise BadValue("is no path", 'write one such as "~/.mcpr/store.db"')
        return Path(text)


@dataclass(frozen=True)
class ListOf(Kind):
    """A list; in the environment its items have commas between them."""

    item: Kind
    name = "list"

    def show(self, value: Any) -> object:
        """A list."""
        return [self.item.show(each) for each in value]

    @property
    def advice(self) -> str:
        """Brackets."""
        return 'write it in brackets, such as ["a", "b"]'


@dataclass(frozen=True)
class MapOf(Kind):
    """A table with keys of the operator's choice; in the environment `key=value,key=value`."""

    item: Kind
    name = "table"

    def show(self, value: Any) -> object:
        """A table."""
        return {key: self.item.show(each) for key, each in value.items()}

    @property
    def advice(self) -> str:
        """Braces."""
        return 'write it in braces, such as { name = "value" }'


@dataclass(frozen=True)
class Table(Kind):
    """A table with known keys: a dataclass. many: `[[…]]`, any number of them."""

    model: type
    many: bool = False
    name = "table"


TEXT: Final = Text()
Seconds = Annotated[float, duration()]
ByteCount = Annotated[int, size()]
Port = Annotated[int, Whole(0, 65_535)]
Count = Annotated[int, Whole(1, 1_000_000)]
_PLAIN: dict[object, Kind] = {str: TEXT, int: Whole(), bool: Flag(), Path: FilePath()}


def kind_of(annotation: Any) -> Kind:
    """The kind of a field that is annotated so; `X | None` is an X that may be absent."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        (annotation,) = (each for each in inner if each is not NoneType)
        return kind_of(annotation)
    if origin is Annotated:
        return next(each for each in inner[1:] if isinstance(each, Kind))
    if origin is Literal:
        return Choice(inner)
    if origin is not None:
        item = kind_of(inner[0] if origin is tuple else inner[1])
        if origin is not tuple:
            return MapOf(item)
        return Table(item.model, many=True) if isinstance(item, Table) else ListOf(item)
    is_table = isinstance(annotation, type) and is_dataclass(annotation)
    return Table(annotation) if is_table else _PLAIN[annotation]


_TYPE_NAMES: dict[type, str] = {
    str: "a text",
    bool: "a flag",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


def _type_name(value: object) -> str:
    return _TYPE_NAMES.get(type(value), "a date or time")
