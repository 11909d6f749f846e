"""The question what the difference of two versions is."""

from contextlib import closing
from pathlib import Path

import pytest
from tests.store.building import a_store
from tests.store.offers import FORECAST, GET, STRICT, an_offer

from mcpr.errors import UsageError
from mcpr.events.schema import ListName
from mcpr.store.questions import DiffRow, schema_diff
from mcpr.store.sqlite import SqliteEventStore
from mcpr.store.sqlite.database import open_for_writing

T = 1_785_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = a_store(tmp_path / "s.db")
    an_offer(path, T, [GET])
    an_offer(path, T + 1, [STRICT, FORECAST])
    return path


def asked(
    path: Path, old: int, new: int, server: str | None = None, which: ListName = "tools"
) -> list[DiffRow]:
    with SqliteEventStore(path) as store:
        return schema_diff(store, server, which, old, new)


def test_each_difference_has_its_row(path: Path) -> None:
    assert [(row.verdict, row.kind, row.name, row.path) for row in asked(path, 1, 2)] == [
        ("risky", "added", "forecast", ""),
        ("risky", "modified", "get_weather", "description"),
        ("breaking", "modified", "get_weather", "inputSchema.city"),
    ]


def test_the_other_way_round_it_is_the_other_way_round(path: Path) -> None:
    kinds = {(row.verdict, row.kind, row.name) for row in asked(path, 2, 1)}
    assert ("breaking", "removed", "forecast") in kinds


def test_a_version_does_not_differ_from_itself(path: Path) -> None:
    assert asked(path, 2, 2) == []


def test_a_version_that_is_not_there_is_an_error_that_names_those_that_are(path: Path) -> None:
    with pytest.raises(UsageError, match="there are 1-2"):
        asked(path, 1, 7)


def test_a_list_that_never_passed_is_an_error(path: Path) -> None:
    with pytest.raises(UsageError, match="no such list has passed"):
        asked(path, 1, 2, which="prompts")
    with pytest.raises(UsageError, match="of 'notes'"):
        asked(path, 1, 2, server="notes")


def test_of_several_servers_one_must_be_named(path: Path) -> None:
    an_offer(path, T, [GET], server="notes")
    with pytest.raises(UsageError, match="notes, weather"):
        asked(path, 1, 2)
    assert asked(path, 1, 2, server="weather")


def test_definitions_that_were_let_go_of_cannot_be_compared(path: Path) -> None:
    with closing(open_for_writing(path)) as connection:
        connection.execute("UPDATE schema_version SET is_whole = 0 WHERE version = 1")
    with pytest.raises(UsageError, match="not kept any more"):
        asked(path, 1, 2)
