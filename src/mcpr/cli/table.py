"""A table of text: columns as wide as their cells, or narrower where the terminal is."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from mcpr.cli import words

Row = TypeVar("Row")
Form = Literal["text", "time", "minute", "latency", "size", "count", "rate"]

_ABSENT = "-"
# How much of a time is shown: all of it, or without the seconds.
_TIMES: dict[Form, int] = {"time": 14, "minute": 11}
_NARROWEST = 8
# What the columns of a table that goes on get at least, for rows that nobody has seen yet.
_RESERVED: dict[Form, int] = {"text": 16, "latency": 7, "size": 6}


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column. value: what it shows of a row, in the unit that `form` makes words of.

    is_dispensable: left out when all rows agree in it. is_spare: left out where it does not fit.
    """

    title: str
    form: Form
    value: Callable[[Row], object]
    is_dispensable: bool = False
    is_spare: bool = False


class Table(Generic[Row]):
    """Lays out rows. The first rows decide the widths; later ones keep to them.

    goes_on: whether there will be later ones, for which room is kept.
    """

    def __init__(self, columns: Sequence[Column[Row]], width: int, *, goes_on: bool) -> None:
        self._columns = columns
        self._width = width
        self._goes_on = goes_on
        self._widths: list[int] = []
        self._gap = "  "
        self._zone = ""

    def head(self, rows: Sequence[Row]) -> str:
        """Decide the layout by these rows; return the line of titles."""
        self._columns = [
            column
            for column in self._columns
            if not column.is_dispensable or len({column.value(row) for row in rows}) > 1
        ]
        self._zone = _zone_of(self._columns, rows)
        titles = self._measure(rows)
        while self._least() > self._width:
            spare = [column for column in self._columns if column.is_spare]
            if not spare:
                break
            self._columns = [column for column in self._columns if column is not spare[-1]]
            titles = self._measure(rows)
        if self._goes_on:
            reserved = (_RESERVED.get(column.form, 0) for column in self._columns)
            self._widths = list(map(max, self._widths, reserved))
        self._shrink()
        return self._join(titles)

    def line(self, row: Row) -> str:
        """One row."""
        return self._join([self._cell(column, row) for column in self._columns])

    def _measure(self, rows: Sequence[Row]) -> list[str]:
        """Make each column as wide as its cells; return the titles."""
        titles = [self._title(column) for column in self._columns]
        lines = [titles, *([self._cell(column, row) for column in self._columns] for row in rows)]
        self._widths = [max(map(_cells, column)) for column in zip(*lines, strict=True)]
        return titles

    def _least(self) -> int:
        """How narrow the table can be."""
        widths = zip(self._columns, self._widths, strict=True)
        cells = (min(w, _NARROWEST) if column.form == "text" else w for column, w in widths)
        return sum(cells) + len(self._columns) - 1

    def _shrink(self) -> None:
        """Take from the widest column of text until all fit, then from the gaps."""
        flexible = [at for at, column in enumerate(self._columns) if column.form == "text"]
        room = self._width - len(self._gap) * (len(self._columns) - 1)
        for narrowest in (2 * _NARROWEST, _NARROWEST):
            while sum(self._widths) > room:
                widest = max(flexible, key=lambda at: self._widths[at])
                if self._widths[widest] <= narrowest:
                    break
                self._widths[widest] -= 1
            if sum(self._widths) > room and len(self._gap) > 1:
                self._gap = " "
                room = self._width - (len(self._columns) - 1)

    def _title(self, column: Column[Row]) -> str:
        return f"{column.title} {self._zone}".rstrip() if column.form in _TIMES else column.title

    def _cell(self, column: Column[Row], row: Row) -> str:
        value = column.value(row)
        if value is None:
            return _ABSENT
        if column.form in _TIMES and isinstance(value, int):
            zone = words.zone(value)
            text = words.local_time(value)[: _TIMES[column.form]]
            return text if zone == self._zone else text + zone
        if column.form == "latency" and isinstance(value, int):
            return words.latency(value)
        if column.form == "size" and isinstance(value, int):
            return words.size(value)
        if column.form == "rate" and isinstance(value, int | float):
            return words.rate(value)
        return words.printable(str(value)) or _ABSENT

    def _join(self, cells: Sequence[str]) -> str:
        fitted = (
            _fit(cell, width, column.form)
            for column, cell, width in zip(self._columns, cells, self._widths, strict=True)
        )
        return self._gap.join(fitted).rstrip()


def _zone_of(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> str:
    """The offset that all times of the rows have; empty when the clocks were changed among them."""
    times = (column.value(row) for column in columns if column.form in _TIMES for row in rows)
    zones = {words.zone(ts_ms) for ts_ms in times if isinstance(ts_ms, int)}
    return zones.pop() if len(zones) == 1 else ""


def _fit(cell: str, width: int, form: Form) -> str:
    if form == "text" and _cells(cell) > width:
        # Numbers are never cut: half a number is a lie.
        while _cells(cell) > width - 1:
            cell = cell[:-1]
        cell += "…"
    padding = " " * (width - _cells(cell))
    return cell + padding if form == "text" or form in _TIMES else padding + cell


def _cells(text: str) -> int:
    """How many cells of a terminal a printable text fills."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if _is_wide(character) else 1
        for character in text
    )


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in {"W", "F"}
