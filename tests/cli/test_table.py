"""cli/table: columns of text that fit."""

from collections.abc import Sequence

import pytest

from mcpr.cli.table import Column, Table

Row = dict[str, object]


def shown(
    columns: Sequence[Column[Row]], rows: Sequence[Row], width: int, *, goes_on: bool = False
) -> list[str]:
    table = Table(columns, width, goes_on=goes_on)
    return [table.head(rows), *(table.line(row) for row in rows)]


NAME: Column[Row] = Column("NAME", "text", lambda row: row["name"])
CALLS: Column[Row] = Column("CALLS", "count", lambda row: row["calls"])
TIME: Column[Row] = Column("TIME", "time", lambda row: row["time"])
SERVER: Column[Row] = Column("SERVER", "text", lambda row: row["name"], is_dispensable=True)


def test_text_stands_left_and_numbers_right() -> None:
    rows: list[Row] = [{"name": "a", "calls": 10_000}, {"name": "bcdef", "calls": 7}]
    assert shown([NAME, CALLS], rows, 80) == ["NAME   CALLS", "a      10000", "bcdef      7"]


@pytest.mark.parametrize("width", [20, 30, 50])
def test_long_text_is_cut_to_what_fits_and_numbers_never_are(width: int) -> None:
    rows: list[Row] = [{"name": "x" * 90, "calls": 123_456_789}]
    lines = shown([NAME, CALLS], rows, width)
    assert max(map(len, lines)) == width
    assert lines[1].endswith("… 123456789") or lines[1].endswith("…  123456789")


def test_wide_characters_count_for_two_cells_and_accents_for_none() -> None:
    rows: list[Row] = [{"name": "天気", "calls": 1}, {"name": "e\u0301", "calls": 2}]
    assert shown([NAME, CALLS], rows, 80)[1:] == ["天気      1", "e\u0301         2"]


def test_what_is_not_known_is_a_dash() -> None:
    rows: list[Row] = [{"name": None, "calls": None}, {"name": "", "calls": 0}]
    assert shown([NAME, CALLS], rows, 80)[1:] == ["-         -", "-         0"]


def test_a_column_that_says_the_same_everywhere_may_be_left_out() -> None:
    same: list[Row] = [{"name": "a", "calls": 1}] * 2
    assert shown([SERVER, CALLS], same, 80)[0] == "CALLS"
    assert shown([SERVER, CALLS], [*same, {"name": "b", "calls": 1}], 80)[0] == "SERVER  CALLS"


def test_the_zone_stands_above_unless_the_clocks_were_changed() -> None:
    summer, winter = 1_785_233_700_000, 1_767_225_600_000
    assert shown([TIME], [{"time": summer}], 80) == ["TIME +02:00", "07-28 12:15:00"]
    both: list[Row] = [{"time": winter}, {"time": summer}]
    assert shown([TIME], both, 80) == ["TIME", "01-01 01:00:00+01:00", "07-28 12:15:00+02:00"]


def test_a_table_that_goes_on_keeps_room_for_what_comes() -> None:
    table = Table([NAME, CALLS], 80, goes_on=True)
    table.head([{"name": "a", "calls": 1}])
    assert table.line({"name": "sixteen letters!", "calls": 123_456}) == "sixteen letters!  123456"


def test_what_is_spare_goes_where_it_does_not_fit_the_last_first() -> None:
    rows: list[Row] = [{"name": "x" * 20, "calls": 1}]
    spare: list[Column[Row]] = [
        Column(title, "count", lambda row: row["calls"], is_spare=True) for title in "AB"
    ]
    heads = [shown([NAME, *spare, CALLS], rows, width)[0].split() for width in (30, 17, 15)]
    assert heads == [["NAME", "A", "B", "CALLS"], ["NAME", "A", "CALLS"], ["NAME", "CALLS"]]
