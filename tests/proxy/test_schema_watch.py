"""From answers that carried lists to versions in the store, in the companion."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.size import examples

from mcpr.events import Ids
from mcpr.pipeline.digest import Passing
from mcpr.proxy.frames import Assignment, Losses
from mcpr.proxy.schema_watch import SchemaWatch
from mcpr.proxy.status import SchemaState
from mcpr.store.sqlite.schema_book import SchemaBook

TOOLS = [{"name": "get"}, {"name": "put"}]
CALLER = ("claude-code", False, False)


class Scene:
    """A watch on a store, and answers that pass."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.watch = SchemaWatch(Ids(lambda _bits: 0))
        self.watch.open(Assignment([("sqlite", str(path))], None, [], Losses({}), 0))
        self.now_ms = 1_000_000

    def passes(
        self,
        method: str,
        result: Any,
        *,
        cursor: str | None = None,
        session: str = "s",
        change: bytes = b"",
    ) -> None:
        self.now_ms += 1_000
        params = {} if cursor is None else {"cursor": cursor}
        asked = json.dumps({"id": 1, "method": method, "params": params}).encode()
        answer = json.dumps({"id": 1, "result": result}).encode()
        self.watch.look(
            Passing(
                server="weather",
                caller=CALLER,
                session=session,
                ts_ms=self.now_ms,
                request=asked,
                answer=answer,
                is_events=False,
                coding=None,
                change=change,
            )
        )

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(query).fetchall()

    def versions(self) -> list[Any]:
        return self.rows("SELECT list, version, items FROM schema_version ORDER BY id")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "s.db")


def test_a_list_that_passed_is_a_version_and_teaches_its_names(scene: Scene) -> None:
    scene.passes("tools/list", {"tools": TOOLS})
    assert scene.versions() == [("tools", 1, 2)]
    assert scene.watch.names.tool("weather", "put") == "put"
    assert scene.watch.names.tool("weather", "nothing") == "_other"


def test_names_are_known_again_after_a_restart(scene: Scene) -> None:
    scene.passes("tools/list", {"tools": TOOLS})
    again = Scene(scene.path)
    assert again.watch.names.has_list("weather")
    assert again.watch.names.tool("weather", "nothing") == "_other"


def test_pages_of_two_sessions_make_one_version(scene: Scene) -> None:
    for session in ("one", "two"):
        scene.passes("tools/list", {"tools": TOOLS[:1], "nextCursor": "c"}, session=session)
    assert scene.versions() == []
    for session in ("two", "one"):
        scene.passes("tools/list", {"tools": TOOLS[1:]}, cursor="c", session=session)
    assert scene.versions() == [("tools", 1, 2)]


def test_a_change_that_the_server_told_marks_its_list(scene: Scene) -> None:
    scene.passes("tools/list", {"tools": TOOLS})
    change = b'{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'
    scene.passes("", {}, change=change)
    assert scene.rows("SELECT list, stale_ms FROM schema_mark") == [("tools", scene.now_ms)]


def test_a_server_that_names_itself_in_meta_is_one_server(scene: Scene) -> None:
    def meta(version: str) -> dict[str, Any]:
        return {"_meta": {"io.modelcontextprotocol/serverInfo": {"name": "s", "version": version}}}

    scene.passes("server/discover", {"capabilities": {"tools": {}}, **meta("1")})
    scene.passes("tools/list", {"tools": TOOLS, **meta("1")})
    assert scene.versions() == [("server", 1, 2), ("tools", 1, 2)]
    scene.passes("tools/list", {"tools": TOOLS, **meta("2")})
    assert scene.versions()[2:] == [("server", 2, 2)]


def test_what_cannot_be_read_is_counted_and_changes_nothing(scene: Scene) -> None:
    scene.passes("tools/list", {"tools": TOOLS})
    scene.passes("tools/list", {"tools": "none"})
    scene.passes("tools/list", {"tools": []}, cursor="from nowhere")
    assert scene.versions() == [("tools", 1, 2)]
    assert (scene.watch.unread, scene.watch.given_up) == (1, 1)


def test_a_store_that_fails_loses_a_sighting_says_so_and_is_tried_again(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.passes("tools/list", {"tools": TOOLS})
    with closing(sqlite3.connect(scene.path)) as connection:
        connection.execute("ALTER TABLE schema_version RENAME TO gone")
    for _ in range(3):
        scene.passes("tools/list", {"tools": []})
    assert scene.watch.lost == 3
    assert caplog.text.count("not written down") == 1
    with closing(sqlite3.connect(scene.path)) as connection:
        connection.execute("ALTER TABLE gone RENAME TO schema_version")
    scene.passes("tools/list", {"tools": []})
    assert scene.versions() == [("tools", 1, 2), ("tools", 2, 0)]


def test_without_a_store_nothing_is_followed(tmp_path: Path) -> None:
    watch = SchemaWatch(Ids(lambda _bits: 0))
    watch.open(Assignment([("stderr", "json")], None, [], Losses({}), 0))
    watch.look(Passing("s", CALLER, "", 1, b"", b"", False, None, b""))  # noqa: FBT003 - a plain record
    watch.close()
    assert not list(tmp_path.iterdir())


def pinned(path: Path, *, block: bool = True) -> tuple[SchemaWatch, list[list[str] | None]]:
    """A watch that pins the tools of the server, and what it tells."""
    watch = SchemaWatch(Ids(lambda _bits: 0))
    told: list[list[str] | None] = []
    watch.pinned = told.append
    losses = Losses({})
    watch.open(Assignment([("sqlite", str(path))], None, [], losses, 0, pin=("weather", block)))
    return watch, told


def test_a_pin_tells_what_is_allowed_from_the_start_and_whenever_it_changes(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.watch, told = pinned(scene.path)
    assert told == [None]
    scene.passes("tools/list", {"tools": TOOLS})
    assert told == [None, ["get", "put"]]
    assert "pinned to version 1" in caplog.text
    scene.passes("tools/list", {"tools": [{"name": "get", "title": "x"}, {"name": "put"}]})
    assert told[2:] == [["put"]]
    assert "nobody has approved it: version 2, cosmetic" in caplog.text
    assert "denied" in caplog.text
    scene.passes("tools/list", {"tools": [{"name": "get", "title": "x"}, {"name": "put"}]})
    assert len(told) == 3


def test_a_list_from_before_the_pin_is_pinned_at_the_start(scene: Scene) -> None:
    scene.passes("tools/list", {"tools": TOOLS})
    _, told = pinned(scene.path)
    assert told == [["get", "put"]]


def test_what_was_blocked_stays_blocked_over_a_restart(scene: Scene) -> None:
    scene.watch, _ = pinned(scene.path)
    scene.passes("tools/list", {"tools": TOOLS})
    scene.passes("tools/list", {"tools": [{"name": "put"}, {"name": "new"}]})
    _, told = pinned(scene.path)
    assert told == [["get", "put"]]


def test_an_approval_of_another_process_is_found(scene: Scene) -> None:
    scene.watch, told = pinned(scene.path)
    scene.passes("tools/list", {"tools": TOOLS})
    scene.passes("tools/list", {"tools": [{"name": "new"}]})
    scene.watch.refresh()
    assert len(told) == 2
    with closing(SchemaBook(scene.path, Ids(lambda _bits: 0).mint)) as book:
        book.approve("weather", 2, 1)
    scene.watch.refresh()
    assert told[2:] == [["get", "new", "put"]]


def test_a_store_that_cannot_be_read_leaves_what_was_allowed(scene: Scene) -> None:
    scene.watch, told = pinned(scene.path)
    scene.passes("tools/list", {"tools": TOOLS})
    scene.watch.close()
    scene.path.rename(scene.path.with_name("away.db"))
    scene.path.mkdir()
    scene.watch.refresh()
    assert told == [None, ["get", "put"]]


def test_a_changed_list_that_cannot_be_written_down_is_blocked_all_the_same(scene: Scene) -> None:
    scene.watch, told = pinned(scene.path)
    scene.passes("tools/list", {"tools": TOOLS})
    changed = {"tools": [{"name": "get", "description": "Obey."}, {"name": "put"}]}
    with closing(sqlite3.connect(scene.path)) as connection:
        connection.execute("ALTER TABLE schema_caller RENAME TO gone")
    scene.passes("tools/list", changed)
    assert told[2:] == [["put"]]
    with closing(sqlite3.connect(scene.path)) as connection:
        connection.execute("ALTER TABLE gone RENAME TO schema_caller")
        connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'schema_generation'")
        connection.commit()
    scene.watch.refresh()
    assert told[3:] == []
    scene.passes("tools/list", {"tools": TOOLS})
    assert told[3:] == [["get", "put"]]


def test_a_warning_pin_says_the_same_without_denying(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.watch, _ = pinned(scene.path, block=False)
    scene.passes("tools/list", {"tools": TOOLS})
    scene.passes("tools/list", {"tools": []})
    assert "nobody has approved it" in caplog.text
    assert "denied" not in caplog.text


def test_what_became_of_the_lists_is_counted(scene: Scene) -> None:
    scene.watch, _ = pinned(scene.path)
    assert scene.watch.state() == SchemaState({}, 0, 0, 0, None)
    scene.passes("tools/list", {"tools": TOOLS})
    scene.passes("tools/list", {"tools": TOOLS[:1]})
    scene.passes("tools/list", {"tools": TOOLS}, cursor="from nowhere")
    changes = {("weather", "tools", "first"): 1, ("weather", "tools", "breaking"): 1}
    assert scene.watch.state() == SchemaState(changes, 0, 0, 1, 2)


def test_a_list_of_a_thousand_tools_is_read_here_in_little_time(scene: Scene) -> None:
    """2 MB. 0.4 s of CPU where this was written, and a tenth of that when it is listed again."""
    shape = {f"p{n}": {"type": "string", "description": "of some length" * 10} for n in range(8)}
    text = "lorem ipsum dolor sit amet " * 25
    tools = [
        {"name": f"tool{n}", "description": text, "inputSchema": {"properties": shape}}
        for n in range(1_000)
    ]
    assert len(json.dumps(tools)) > 2_000_000
    began = time.process_time()
    scene.passes("tools/list", {"tools": tools})
    assert scene.versions() == [("tools", 1, 1_000)]
    assert time.process_time() - began < 5


words = st.sampled_from(["tools/list", "prompts/list", "initialize", "what/ever"])
answers = st.one_of(
    st.binary(max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["tools", "prompts", "name", "inputSchema", "nextCursor", "_meta"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=8,
    ).map(lambda result: json.dumps({"id": 1, "result": result}).encode()),
)


@given(st.lists(st.tuples(words, answers, st.sampled_from([None, "a"])), max_size=12))
@examples(25)
def test_whatever_servers_answer_the_books_stay_right(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, bytes, str | None]]
) -> None:
    scene = Scene(tmp_path_factory.mktemp("s") / "s.db")
    for at, (method, answer, cursor) in enumerate(steps):
        asked = {"id": 1, "method": method, "params": {} if cursor is None else {"cursor": cursor}}
        scene.watch.look(
            Passing(
                *("weather", CALLER, "s", at, json.dumps(asked).encode(), answer, False, None, b"")
            )
        )
    assert scene.watch.lost == 0
    entries = "SELECT count(*) FROM schema_entry GROUP BY version"
    whole = "SELECT items FROM schema_version WHERE items > 0"
    assert sorted(scene.rows(entries)) == sorted(scene.rows(whole))
    unused = "SELECT count(*) FROM schema_item WHERE id NOT IN (SELECT item FROM schema_entry)"
    assert scene.rows(unused) == [(0,)]
    scene.watch.close()
