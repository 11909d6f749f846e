"""Tables for people: columns over the rows of a question, sorted and cut into pages by the URL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from mcpr.console.asking import Ask

Row = TypeVar("Row")
Align = Literal["text", "number"]

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place. tone: a CSS class; title: more, for those who point at it."""

    text: str
    href: str | None = None
    tone: str = ""
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """field: what the column is sorted by; None: it is not. is_spare: left out where it is narrow.

    hint: what the title means.
    """

    title: str
    cell: Callable[[Row], Cell | str]
    field: str | None = None
    align: Align = "text"
    is_spare: bool = False
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """A column's title. href: sorts by it; order: how it is sorted, in the words of ARIA."""

    title: str
    classes: str
    href: str | None
    order: str | None
    hint: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One row. href: where it leads; tone: a CSS class."""

    cells: Sequence[Cell]
    tone: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as the template shows it. previous, following: links to other pages of it.

    exports: (title, link) of the same rows for programs.
    """

    caption: str
    heads: Sequence[Head]
    lines: Sequence[Line]
    classes: Sequence[str]
    first: int = 0
    total: int = 0
    previous: str | None = None
    following: str | None = None
    exports: Sequence[tuple[str, str]] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Sheet(Generic[Row]):
    """How a question's rows look. order: the field it is sorted by at first, `-` for downwards.

    question, takes: whose rows they are, for exports; empty: there are none.
    """

    caption: str
    columns: Sequence[Column[Row]]
    order: str | None = None
    question: str = ""
    takes: Sequence[str] = ()
    tone: Callable[[Row], str] = lambda _: ""
    name: str = ""


def grid(sheet: Sheet[Row], rows: Sequence[Row], ask: Ask, path: str = "") -> Grid:
    """The table, sorted and cut by `sort` and `page` of the URL."""
    order = ask.get("sort") or sheet.order
    fields = {column.field for column in sheet.columns if column.field}
    if order is not None and order.lstrip("-") in fields:
        rows = _sorted(rows, order)
    else:
        order = None
    pages = max(1, -(-len(rows) // PAGE_ROWS))
    page = min(ask.number("page", 1), pages)
    first = (page - 1) * PAGE_ROWS
    return Grid(
        caption=sheet.caption,
        heads=[_head(column, order, ask, path) for column in sheet.columns],
        lines=lines(sheet, rows[first : first + PAGE_ROWS]),
        classes=[_classes(column) for column in sheet.columns],
        first=first + 1 if rows else 0,
        total=len(rows),
        previous=f"{path}{ask.query(page=page - 1)}" if page > 1 else None,
        following=f"{path}{ask.query(page=page + 1)}" if page < pages else None,
        exports=exports(sheet, ask),
        name=sheet.name,
    )


def plain(sheet: Sheet[Row], rows: Sequence[Row], ask: Ask) -> Grid:
    """The table as the rows come, without links to sort it."""
    return Grid(
        caption=sheet.caption,
        heads=[Head(one.title, _classes(one), None, None, one.hint) for one in sheet.columns],
        lines=lines(sheet, rows),
        classes=[_classes(column) for column in sheet.columns],
        exports=exports(sheet, ask),
        name=sheet.name,
    )


def lines(sheet: Sheet[Row], rows: Sequence[Row]) -> list[Line]:
    """The rows alone."""
    return [
        Line([_cell(column.cell(row)) for column in sheet.columns], sheet.tone(row)) for row in rows
    ]


def exports(sheet: Sheet[Any], ask: Ask) -> list[tuple[str, str]]:
    """Links to the question's rows for programs, under the same filter."""
    if not sheet.question:
        return []
    return [
        (form.upper(), f"/api/v1/{sheet.question}{ask.query(sheet.takes, output=form)}")
        for form in ("csv", "ndjson", "json")
    ]


def _cell(found: Cell | str) -> Cell:
    return Cell(found) if isinstance(found, str) else found


def _classes(column: Column[Any]) -> str:
    spare = " spare" if column.is_spare else ""
    return f"{column.align}{spare}"


def _head(column: Column[Any], order: str | None, ask: Ask, path: str) -> Head:
    if column.field is None:
        return Head(column.title, _classes(column), None, None, column.hint)
    told = None
    # Numbers are looked at from the largest on, names from the first.
    wanted = f"-{column.field}" if column.align == "number" else column.field
    if order is not None and order.lstrip("-") == column.field:
        is_down = order.startswith("-")
        told = "descending" if is_down else "ascending"
        wanted = column.field if is_down else f"-{column.field}"
    href = f"{path}{ask.query(sort=wanted, page=None)}"
    return Head(column.title, _classes(column), href, told, column.hint)


def _sorted(rows: Sequence[Row], order: str) -> list[Row]:
    field = order.lstrip("-")
    known = [row for row in rows if getattr(row, field) is not None]
    unknown = [row for row in rows if getattr(row, field) is None]
    ordered = sorted(known, key=lambda row: getattr(row, field), reverse=order.startswith("-"))
    return ordered + unknown
