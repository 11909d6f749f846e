"""One renderer for every answer: table, json, ndjson, csv. Knows no question.

A table is for people: times of this machine's zone, short numbers, as wide as the terminal. The
other forms are for programs: every field of the row, times in epoch ms, durations in µs, sizes in
bytes. None of them lets recorded text drive a terminal or a spreadsheet.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from mcpr.cli.table import Column, Table
from mcpr.store import forms
from mcpr.store.window import Window

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Form = Literal["table", "json", "ndjson", "csv"]
Row = TypeVar("Row", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where the answer is shown. width: in cells."""

    width: int
    has_colour: bool


@dataclass(frozen=True, slots=True)
class Question(Generic[Row]):
    """How one question's answer looks. row: the type of its rows. is_error: shown in red.

    columns: the table's; the other forms have all fields of the row.
    """

    name: str
    row: type[Row]
    columns: Sequence[Column[Row]]
    is_error: Callable[[Row], bool]


class Renderer(Generic[Row]):
    """Renders the rows of one answer, as they come. Every method returns whole lines.

    goes_on: whether there will be rows after those that are shown first.
    """

    def __init__(
        self, question: Question[Row], form: Form, terminal: Terminal, *, goes_on: bool = False
    ) -> None:
        self._question = question
        self._form = form
        self._table = Table(question.columns, terminal.width, goes_on=goes_on)
        self._has_colour = terminal.has_colour
        self._is_begun = False

    def document(
        self, rows: Sequence[Row], window: Window | None, facts: Mapping[str, object] | None = None
    ) -> str:
        """The whole answer. As json it is one object, in every other form `lines`.

        window: None for an answer that is not about a span of time. facts: what the object says
        besides.
        """
        if self._form != "json":
            return self.lines(rows)
        return forms.document(self._question.name, rows, window, facts)

    def lines(self, rows: Sequence[Row]) -> str:
        """The next rows; before the first ones, what comes above them. Not for json."""
        is_first = not self._is_begun
        self._is_begun = self._is_begun or bool(rows) or self._form == "csv"
        if self._form == "ndjson":
            return forms.as_ndjson(rows)
        if self._form == "csv":
            return forms.as_csv(self._question.row, rows, has_head=is_first)
        if not rows:
            return ""
        return "".join(f"{line}\n" for line in self._table_lines(rows, has_head=is_first))

    def _table_lines(self, rows: Sequence[Row], *, has_head: bool) -> Iterable[str]:
        if has_head:
            yield self._table.head(rows)
        for row in rows:
            line = self._table.line(row)
            is_red = self._has_colour and self._question.is_error(row)
            yield f"\x1b[31m{line}\x1b[0m" if is_red else line
