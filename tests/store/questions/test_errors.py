"""store/questions/errors: errors with one cause are one group."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.events.building import TS_MS, an_event
from tests.store.building import a_store

from mcpr.events import Detail, RequestEvent
from mcpr.store import Filter, Window
from mcpr.store.questions import ErrorGroup, error, errors
from mcpr.store.questions.errors import shape
from mcpr.store.sqlite import SqliteEventStore

SHAPES = {
    "": "",
    "no city": "no city",
    "no city 7": "no city <number>",
    "took 12.5ms of 1,000": "took <number>ms of <number>",
    "line 3:14, 50%": "line <number>, <number>%",
    "-32602: bad": "<number>: bad",
    "no user ann.lee+x@mail.example": "no user <mail>",
    "cannot open https://a.example/x?y=1#z now": "cannot open <url> now",
    "no row 01890a5d-ac96-774b-bcce-b302099a8057!": "no row <id>!",
    "no file /srv/data/a.txt": "no file <path>",
    r"no file C:\Users\ann\a.txt": "no file <path>",
    "and/or is fine": "and/or is fine",
    'unknown "Berlin"': "unknown <text>",
    "unknown 'Berlin' and 'Paris'": "unknown <text> and <text>",
    "don't, it isn't": "don't, it isn't",
    "commit 9f8e7d6c5b4a": "commit <hex>",
    "at 0xDEADBEEF": "at <hex>",
    "the face added": "the face added",
    "two\n\tlines": "two lines",
    "utf8 v2beta": "utf<number> v<number>beta",
}


@pytest.mark.parametrize("text", SHAPES)
def test_what_varies_is_masked(text: str) -> None:
    assert shape(text) == SHAPES[text]


@given(st.text(max_size=512))
def test_any_text_has_a_shape_on_one_line(text: str) -> None:
    found = shape(text)
    assert found.split() == found.split(" ") or found == ""


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_messages_that_differ_in_a_number_have_one_shape(one: int, other: int) -> None:
    assert shape(f"no city {one} here") == shape(f"no city {other} here")


def failure(ms: int, text: str | None, **fields: object) -> RequestEvent:
    detail = Detail(error_text=text, client_name=str(fields.pop("client_name", "mine")))
    return an_event(
        **{
            "ts_ms": TS_MS + ms,
            "outcome": "rpc_error",
            "origin": "server",
            "rpc_code": -32000,
            "detail": detail,
            **fields,
        }
    )


def asked(path: Path, events: list[RequestEvent]) -> list[ErrorGroup]:
    with SqliteEventStore(a_store(path / "s.db", events)) as store:
        return errors(store, Filter())


def test_a_group_has_its_count_its_times_and_who_met_it(tmp_path: Path) -> None:
    (group, other) = asked(
        tmp_path,
        [
            failure(1, "no city 7", client="claude", session="a" * 32),
            failure(5, "no city 8", client="other", client_name="x", session="b" * 32),
            failure(3, "no city 9", client="claude", session="b" * 32),
            failure(9, "no city 7", tool="other"),
            an_event(),
        ],
    )
    assert (group.calls, group.share, other.calls) == (3, 0.75, 1)
    assert (group.first_ms, group.last_ms) == (TS_MS + 1, TS_MS + 5)
    assert (group.session_count, group.client_count, group.clients) == (2, 2, "claude, x")
    assert (group.shape, group.rpc_code, group.tool) == ("no city <number>", -32000, "get_weather")


APART: dict[str, dict[str, object]] = {
    "server": {"server": "b"},
    "method": {"method": "prompts/get"},
    "tool": {"tool": None},
    "outcome": {"outcome": "timeout"},
    "origin": {"origin": "transport"},
    "status": {"http_status": 500},
    "code": {"rpc_code": 1},
    "words": {"detail": Detail(error_text="quite another")},
    "no words": {"detail": None},
}


@pytest.mark.parametrize("name", APART)
def test_what_differs_in_this_is_another_group(tmp_path: Path, name: str) -> None:
    groups = asked(tmp_path, [failure(1, "no"), failure(1, "no", **APART[name])])
    assert len({group.id for group in groups}) == 2


def test_a_group_keeps_its_name_in_every_store_and_window(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (one,) = asked(tmp_path / "a", [failure(1, "no 1")])
    (other,) = asked(tmp_path / "b", [failure(7_000_000, "no 2"), failure(9_000_000, "no 3")])
    assert one.id == other.id


def test_a_group_is_opened_by_the_beginning_of_its_name(tmp_path: Path) -> None:
    events = [failure(n, f"no {n}") for n in range(5)] + [failure(9, "else")]
    with SqliteEventStore(a_store(tmp_path / "s.db", events)) as store:
        where = Filter(window=Window(TS_MS + 1, TS_MS + 100))
        group = errors(store, where)[0]
        found = error(store, where, group.id[:6].upper(), 3)
        assert found is not None
        assert found[0] == group
        assert [row.ts_ms - TS_MS for row in found[1]] == [4, 3, 2]
        assert error(store, where, "zz", 3) is None
