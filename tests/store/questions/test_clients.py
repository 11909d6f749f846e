"""store/questions/clients: one row for each client and version, with its sessions."""

from pathlib import Path

import pytest
from tests.store.building import a_store
from tests.store.sessions import at, calls, modern, opens

from mcpr.events import Detail, Link, link_text
from mcpr.pipeline.identity import family
from mcpr.store import Filter, Window
from mcpr.store.questions import ClientRow, clients
from mcpr.store.sqlite import SqliteEventStore

OPENS = link_text(Link(opens=True))


def asked(path: Path, where: Filter | None = None) -> list[ClientRow]:
    with SqliteEventStore(path) as store:
        return clients(store, where or Filter())


def test_a_client_has_its_sessions_calls_errors_and_revisions(tmp_path: Path) -> None:
    name = Detail(client_name="claude-code")
    events = [
        *(opens(1), calls(1, 1, detail=name), calls(1, 2, outcome="timeout", detail=name)),
        *(opens(2), modern(3, detail=name), calls(None, 4, kind="stream", detail=name)),
    ]
    (row,) = asked(a_store(tmp_path / "s.db", events))
    assert row == ClientRow(
        client="claude-code",
        client_version="2.1.0",
        client_name="claude-code",
        sessions=3,
        calls=5,
        errors=1,
        error_rate=0.2,
        revisions="2025-11-25 2026-07-28",
        last_ms=at(3),
    )


def test_versions_and_names_are_kept_apart_and_the_busiest_stands_first(tmp_path: Path) -> None:
    events = [
        calls(None, 0, client_version="1"),
        *(calls(None, 0, client_version="2"), calls(None, 0, client_version="2")),
        calls(None, 0, client="other", detail=Detail(client_name="mine")),
        calls(None, 0, client=None, client_version=None),
    ]
    rows = asked(a_store(tmp_path / "s.db", events))
    assert [(row.client, row.client_version, row.client_name) for row in rows] == [
        ("claude-code", "2", None),
        (None, None, None),
        ("claude-code", "1", None),
        ("other", "2.1.0", "mine"),
    ]


def test_all_spellings_of_one_client_are_one_row(tmp_path: Path) -> None:
    """Fault 33: claude-ai, Anthropic, Anthropic/ClaudeAI and Anthropic/Toolbox were four."""
    names = ("claude-ai", "Anthropic", "Anthropic/ClaudeAI", "Anthropic/Toolbox")
    events = [
        opens(number, number, client=family(name), detail=Detail(client_name=name, link=OPENS))
        for number, name in enumerate(names)
    ]
    (row,) = asked(a_store(tmp_path / "s.db", events))
    assert (row.client, row.calls, row.sessions) == ("claude", 4, 4)
    assert row.client_name == "Anthropic, Anthropic/ClaudeAI, Anthropic/Toolbox, claude-ai"


def test_many_spellings_are_shown_as_eight(tmp_path: Path) -> None:
    """A client that calls itself anew each time makes no row without end."""
    events = [
        calls(None, 0, client="claude", detail=Detail(client_name=f"claude-{number}"))
        for number in range(20)
    ]
    (row,) = asked(a_store(tmp_path / "s.db", events))
    assert (row.calls, (row.client_name or "").count(",")) == (20, 7)


@pytest.mark.parametrize(
    ("where", "calls_in_it"),
    [(Filter(window=Window(at(0), at(1))), [2]), (Filter(server="none"), [])],
)
def test_calls_are_those_of_the_filter(
    tmp_path: Path, where: Filter, calls_in_it: list[int]
) -> None:
    events = [calls(None, 0), calls(None, 0.5), calls(None, 1)]
    rows = asked(a_store(tmp_path / "s.db", events), where)
    assert [row.calls for row in rows] == calls_in_it
