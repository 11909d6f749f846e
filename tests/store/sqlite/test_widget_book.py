"""store/sqlite/widget_book: each policy of a widget once, and no more than a bound."""

from contextlib import closing
from pathlib import Path

import pytest
from tests.store.building import a_store

from mcpr.store.questions import WidgetRow, widgets
from mcpr.store.sqlite import SqliteEventStore, widget_book
from mcpr.store.sqlite.schema_book import SchemaBook

ONE, OTHER = '{"connect": ["https://a.example"]}', "{}"


def seen(path: Path, *sightings: tuple[str, str, int]) -> list[WidgetRow]:
    """After these sightings of (URI, what is declared, when)."""
    with closing(SchemaBook(path, lambda _: b"")) as book:
        for uri, declared, ts_ms in sightings:
            book.widget("weather", (uri, declared, OTHER), ts_ms)
    with SqliteEventStore(path) as store:
        return widgets(store)


def test_a_widget_stands_as_it_was_seen_last(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db")
    (row,) = seen(path, ("ui://a", ONE, 5), ("ui://a", OTHER, 9), ("ui://a", OTHER, 12))
    assert (row.declared, row.first_ms, row.last_ms, row.changed_ms) == (OTHER, 5, 12, 9)
    assert row.drift == 1


def test_a_policy_that_comes_back_is_no_new_one(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db")
    (row,) = seen(path, ("ui://a", ONE, 5), ("ui://a", OTHER, 9), ("ui://a", ONE, 12))
    assert (row.declared, row.drift) == (ONE, 1)


def test_widgets_come_by_name_and_servers_are_told_apart(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db")
    assert [row.uri for row in seen(path, ("ui://b", ONE, 1), ("ui://a", ONE, 2))] == [
        "ui://a",
        "ui://b",
    ]
    with SqliteEventStore(path) as store:
        assert widgets(store, "other") == []


def test_what_was_not_seen_for_longest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(widget_book, "MAX_POLICIES", 5)
    monkeypatch.setattr(widget_book, "MAX_OF_ONE", 3)
    path = a_store(tmp_path / "s.db")
    rows = seen(path, *((f"ui://{n}", ONE, n) for n in range(10)))
    assert [row.uri for row in rows] == [f"ui://{n}" for n in range(5, 10)]
    (row, *_) = seen(path, *(("ui://0", f'{{"connect": ["{n}"]}}', 100 + n) for n in range(10)))
    assert row.drift == 2
