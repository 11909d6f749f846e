"""What is approved: definitions, not names; by whoever, in whatever process."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.store.building import a_store
from tests.store.offers import FORECAST, GET, STRICT, an_offer

from mcpr.events import Ids
from mcpr.store.sqlite.schema_book import DAY_MS, SchemaBook

T = 1_785_000_000_000
KEEP = {"name": "keep"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return a_store(tmp_path / "s.db")


@pytest.fixture
def book(path: Path) -> Iterator[SchemaBook]:
    with closing(SchemaBook(path, Ids(lambda _bits: 0).mint)) as book:
        yield book


def test_nothing_is_allowed_or_blocked_before_there_is_a_list(book: SchemaBook) -> None:
    assert book.allowed("weather") is None
    assert book.approve("weather", None, T) is None


def test_the_first_list_is_approved_once(path: Path, book: SchemaBook) -> None:
    an_offer(path, T, [GET])
    assert book.approve("weather", None, T, only_first=True) == 1
    an_offer(path, T + 1, [GET, FORECAST])
    assert book.approve("weather", None, T, only_first=True) is None
    assert book.allowed("weather") == ["get_weather"]


def test_added_modified_and_renamed_tools_are_not_allowed(path: Path, book: SchemaBook) -> None:
    an_offer(path, T, [GET, KEEP, FORECAST])
    book.approve("weather", 1, T)
    renamed = {**FORECAST, "name": "forecast2"}
    an_offer(path, T + 1, [STRICT, KEEP, renamed, {"name": "new"}])
    assert book.allowed("weather") == ["forecast", "keep"]
    assert book.approve("weather", 2, T) == 2
    assert book.allowed("weather") == ["forecast", "forecast2", "get_weather", "keep", "new"]


def test_a_removed_tool_is_no_matter(path: Path, book: SchemaBook) -> None:
    an_offer(path, T, [GET, KEEP])
    book.approve("weather", 1, T)
    an_offer(path, T + 1, [KEEP])
    assert book.allowed("weather") == ["get_weather", "keep"]


def test_an_approved_definition_that_comes_back_is_allowed_again(
    path: Path, book: SchemaBook
) -> None:
    an_offer(path, T, [GET])
    book.approve("weather", 1, T)
    an_offer(path, T + 1, [STRICT])
    assert book.allowed("weather") == []
    an_offer(path, T + 2, [GET])
    # For a day it could be another caller who is shown the other one.
    assert book.allowed("weather") == []
    an_offer(path, T + 2 + 2 * DAY_MS, [GET])
    assert book.allowed("weather") == ["get_weather"]


def test_what_any_caller_is_shown_counts(path: Path, book: SchemaBook) -> None:
    an_offer(path, T, [GET], caller=b"one")
    book.approve("weather", 1, T)
    for at in (1, 3):
        an_offer(path, T + at, [STRICT], caller=b"other")
        an_offer(path, T + at + 1, [GET], caller=b"one")
    assert book.allowed("weather") == []


def test_a_name_that_stands_twice_needs_both_definitions(path: Path, book: SchemaBook) -> None:
    an_offer(path, T, [GET, KEEP])
    book.approve("weather", 1, T)
    an_offer(path, T + 1, [GET, STRICT, KEEP])
    assert book.allowed("weather") == ["keep"]


def test_what_is_revoked_is_blocked_and_not_approved_anew(path: Path, book: SchemaBook) -> None:
    an_offer(path, T, [GET])
    book.approve("weather", 1, T)
    assert book.is_approved("weather", 1)
    assert book.revoke("weather", 1)
    assert not book.revoke("weather", 1)
    assert not book.is_approved("weather", 1)
    assert book.allowed("weather") == []
    assert book.approve("weather", None, T, only_first=True) is None
    assert book.approve("weather", 1, T) == 1
    assert book.allowed("weather") == ["get_weather"]


def test_servers_are_pinned_apart(path: Path, book: SchemaBook) -> None:
    an_offer(path, T, [GET])
    an_offer(path, T, [FORECAST], server="notes")
    book.approve("weather", 1, T)
    assert book.allowed("notes") is None


def test_an_unknown_version_cannot_be_approved(path: Path, book: SchemaBook) -> None:
    an_offer(path, T, [GET])
    assert book.approve("weather", 7, T) is None


def test_other_processes_see_that_something_was_approved(path: Path, book: SchemaBook) -> None:
    an_offer(path, T, [GET])
    before = book.generation()
    with closing(SchemaBook(path, Ids(lambda _bits: 0).mint)) as other:
        other.approve("weather", 1, T)
    assert book.generation() > before
    assert book.allowed("weather") == ["get_weather"]
