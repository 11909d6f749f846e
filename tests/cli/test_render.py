"""cli/render: one renderer for every answer."""

import csv
import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpr.cli.render import Form, Question, Renderer, Terminal
from mcpr.cli.table import Column
from mcpr.store import Window


@dataclass(frozen=True)
class Row:
    name: str | None
    calls: int


QUESTION = Question(
    "rows",
    Row,
    (Column("NAME", "text", lambda row: row.name), Column("CALLS", "count", lambda row: row.calls)),
    is_error=lambda row: row.calls == 0,
)
WINDOW = Window(1, 2)


def renderer(form: Form, *, has_colour: bool = False) -> Renderer[Row]:
    return Renderer(QUESTION, form, Terminal(80, has_colour))


@given(st.lists(st.builds(Row, st.none() | st.text(), st.integers(0))))
def test_programs_get_every_text_back(rows: list[Row]) -> None:
    expected = [{"name": row.name, "calls": row.calls} for row in rows]
    document = json.loads(renderer("json").document(rows, WINDOW))
    assert document == {
        "question": "rows",
        "window": {"since_ms": 1, "until_ms": 2},
        "rows": expected,
    }
    lines = renderer("ndjson").document(rows, WINDOW).splitlines()
    assert [json.loads(line) for line in lines] == expected
    assert len(list(csv.reader(renderer("csv").document(rows, WINDOW).splitlines()))) == (
        len(rows) + 1
    )


@pytest.mark.parametrize("form", ["table", "ndjson", "csv"])
def test_rows_that_come_later_are_rendered_as_if_they_had_come_at_once(form: Form) -> None:
    rows = [Row("a", 1), Row("b", 2), Row("c", 3)]
    one_by_one = renderer(form)
    text = one_by_one.lines([]) + "".join(one_by_one.lines([row]) for row in rows)
    assert text == renderer(form).lines(rows)


def test_an_error_is_red_and_nothing_else_is() -> None:
    text = renderer("table", has_colour=True).lines([Row("a", 1), Row("b", 0)])
    assert text == "NAME  CALLS\na         1\n\x1b[31mb         0\x1b[0m\n"
    assert "\x1b" not in renderer("table").lines([Row("b", 0)])
