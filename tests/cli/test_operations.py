"""cli/operations: calls that took several requests, each output as in its golden file."""

from pathlib import Path

import pytest
from tests.cli.asking import NOW_MS, ask, golden
from tests.events.building import an_event
from tests.store.building import a_store

from mcpr.errors import Exit
from mcpr.events import Detail, Ids, Link, RequestEvent, link_text


def some_operations(path: Path) -> Path:
    """A store with an operation of each kind, at known times and with known ids."""
    ids = Ids(lambda _bits: 5)

    def event(seconds_ago: int, link: Link, **fields: object) -> RequestEvent:
        ts_ms = NOW_MS - seconds_ago * 1_000
        detail = Detail(client_name="me", link=link_text(link))
        given = {"id": ids.mint(ts_ms), "ts_ms": ts_ms, "session": None, "detail": detail}
        return an_event(**(given | fields))

    state, other, task = "a" * 32, "b" * 32, "c" * 32
    polled = {"method": "tasks/get", "tool": None}
    return a_store(
        path,
        [
            event(600, Link(asks=state), tool="book_flight"),
            event(590, Link(answers=state), tool="book_flight"),
            event(400, Link(task=task, status="working"), tool="render"),
            event(380, Link(task=task, status="working"), **polled),
            event(360, Link(task=task, status="failed"), **polled),
            event(200, Link(answers=other), tool="book_flight"),
            event(100, Link(asks=other), tool="book_flight"),
        ],
    )


CASES = {
    "operations": [],
    "operations-tool": ["--tool", "render"],
    "operations-limit": ["-n", "1"],
    "operations-nothing": ["--client", "zed"],
    "operations-json": ["-o", "json", "-n", "1"],
    "operations-csv": ["-o", "csv"],
}


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_as_in_its_golden_file(tmp_path: Path, name: str) -> None:
    answer = ask("operations", "--db", some_operations(tmp_path / "s.db"), *CASES[name])
    assert answer == (Exit.OK, golden(f"{name}.txt"), "")


def test_an_empty_store_says_what_to_do_now(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db")
    assert ask("operations", "--db", path) == (Exit.OK, golden("empty-store.txt"), "")
