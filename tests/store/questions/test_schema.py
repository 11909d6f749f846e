"""The question what a server offers: every list as it stands."""

from pathlib import Path

import pytest
from tests.store.building import a_store
from tests.store.offers import FORECAST, GET, STRICT, a_stale_list, an_offer

from mcpr.store.questions import SchemaRow, schema
from mcpr.store.questions.schema import DAY_MS
from mcpr.store.sqlite import SqliteEventStore

T = 1_785_000_000_000


def asked(path: Path, server: str | None = None) -> list[SchemaRow]:
    with SqliteEventStore(path) as store:
        return schema(store, server)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return a_store(tmp_path / "s.db")


def test_a_store_without_lists_has_none(path: Path) -> None:
    assert asked(path) == []


def test_a_list_is_told_by_the_version_that_was_seen_last(path: Path) -> None:
    an_offer(path, T, [GET])
    an_offer(path, T + 1, [STRICT, FORECAST])
    (row,) = asked(path)
    assert (row.version, row.versions, row.items, row.verdict) == (2, 2, 2, "breaking")
    assert (row.first_ms, row.changed_ms, row.last_ms) == (T, T + 1, T + 1)
    assert (row.suspicions, row.shown, row.stale_ms, row.approved) == (1, 1, None, None)
    an_offer(path, T + 2, [GET])
    (row,) = asked(path)
    assert (row.version, row.versions, row.suspicions) == (1, 2, 0)


def test_weight_is_that_of_the_definitions(path: Path) -> None:
    an_offer(path, T, [])
    (row,) = asked(path)
    assert (row.items, row.bytes, row.tokens, row.verdict) == (0, 0, 0, None)


def test_lists_that_callers_are_shown_beside_one_another_are_counted(path: Path) -> None:
    for at in range(0, 6, 2):
        an_offer(path, T + at, [GET], caller=b"one")
        an_offer(path, T + at + 1, [FORECAST], caller=b"other")
    assert [row.shown for row in asked(path)] == [2]
    an_offer(path, T + 2 * DAY_MS, [FORECAST], caller=b"other")
    assert [row.shown for row in asked(path)] == [1]


def test_a_stale_list_says_since_when(path: Path) -> None:
    an_offer(path, T, [GET])
    a_stale_list(path, T + 5)
    assert [row.stale_ms for row in asked(path)] == [T + 5]


def test_returns_and_versions_that_were_only_counted_are_told(path: Path) -> None:
    for at in range(12):
        an_offer(path, T + at, [GET] if at % 2 else [FORECAST])
    (row,) = asked(path)
    assert (row.versions, row.switches) == (2, 7)


def test_one_server_is_asked_for_by_name(path: Path) -> None:
    an_offer(path, T, [GET])
    an_offer(path, T, [GET], server="notes")
    an_offer(path, T, [GET], which="prompts")
    assert [(row.server, row.list) for row in asked(path)] == [
        ("notes", "tools"),
        ("weather", "prompts"),
        ("weather", "tools"),
    ]
    assert [row.server for row in asked(path, "notes")] == ["notes"]
