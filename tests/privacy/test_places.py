"""What must not be kept has no field to be in: the types, the store and the page say the same.

Written out by hand, so that whoever adds a field has to come here, and to docs/topics/privacy.md.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import get_type_hints

import pytest
from tests.events.building import an_event
from tests.privacy.messages import HOST, answer, request
from tests.privacy.traces import columns

from mcpr.events import Aside, Detail, Link, RequestEvent, envelope
from mcpr.pipeline.identity import SessionNames
from mcpr.protocol.http1 import Heads
from mcpr.sinks.stderr import Pretty
from mcpr.store.sqlite import Writer, session_key

PAGE = (Path(__file__).parents[2] / "docs/topics/privacy.md").read_text()

PUBLIC = (
    *("id", "ts_ms", "server", "kind", "method", "tool", "outcome", "origin"),
    *("http_status", "rpc_code", "latency_us", "upstream_us", "bytes_in", "bytes_out"),
    *("session", "client", "client_version", "revision"),
)
#: In the words of the store; the type calls `raw_method` `method`.
LOCAL = (
    *("subject", "raw_method", "error_text", "client_name"),
    *("http_method", "path", "note", "upstream_first_us"),
)
#: What the store's tables have beside these: order, links between them, what follows from others.
BOOKKEEPING = {
    "meta": {"key", "value"},
    "session": {
        *("id", "hash", "server_name", "server_version", "opened_ms", "last_ms", "good_ms"),
        *("ended_ms", "ended_by", "calls", "errors", "is_inferred", "is_shared"),
    },
    "session_tool": set(),
    "session_event": {"seq", "state"},
    "label": {"id"},
    "request_event": {"seq", "label", "bucket", "is_error", "link"},
    "block": {"first_seq", "last_seq", "first_id", "low", "min_ts_ms", "max_ts_ms"},
    "session_block": {"first_seq", "last_seq"},
    "rollup": {
        *("grain", "start_ms", "label", "calls", "errors", "sum_us", "max_us", "last_ms"),
        "buckets",
    },
    "rollup_grain": {"ms"},
    "rollup_span": {"grain", "start_ms"},
    "rollup_mark": {"grain", "start_ms", "changes"},
}
#: What servers offer: tables of their own, with definitions (`body`, `name`) that stay here.
OFFERED = {
    "schema_item": {"id", "hash", "body", "suspicions"},
    "schema_version": {
        *("id", "server", "list", "version", "hash", "first_ms", "last_ms", "sightings", "items"),
        *("bytes", "tokens", "is_whole", "approved_ms"),
    },
    "schema_entry": {"version", "name", "item", "bytes"},
    "schema_caller": {"server", "list", "caller", "version", "last_ms"},
    "schema_change": {
        *("seq", "id", "ts_ms", "server", "list", "version", "from_version", "hash", "verdict"),
        *("items", "added", "removed", "modified", "names", "is_return"),
    },
    "schema_mark": {"server", "list", "newest", "stale_ms", "switches", "unrecorded"},
    "widget_policy": {
        *("id", "server", "uri", "declared", "emitted", "first_ms", "last_ms", "sightings"),
    },
}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store as the proxy makes it."""
    path = tmp_path / "store.db"
    session_key(path)
    Writer(path).close()
    return path


def test_an_event_has_the_public_fields_its_local_part_and_nothing_else() -> None:
    assert RequestEvent.__struct_fields__ == (*PUBLIC, "detail", "aside")
    assert list(envelope.KEYS) == ["v", *PUBLIC]


def test_the_local_part_has_the_documented_fields_and_nothing_else() -> None:
    fields = ["raw_method" if name == "method" else name for name in Detail.__struct_fields__]
    assert sorted(fields) == sorted((*LOCAL, "link"))


def test_a_link_has_hashes_marks_and_the_servers_name_and_nothing_else() -> None:
    words = {name for name, kind in get_type_hints(Link).items() if kind is not bool}
    assert words == {
        *("asks", "answers", "task", "status", "retry"),
        *("server_name", "server_version"),
    }


def test_what_stands_aside_has_numbers_and_identifiers_of_a_fixed_form_and_no_text() -> None:
    assert get_type_hints(Aside) == {"exchange": int, "rows": int, "parent": bytes, "link": bytes}


def test_the_store_has_columns_for_these_and_for_nothing_else(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection:
        tables = columns(connection)
        shown = [name for _, name, *_ in connection.execute("PRAGMA table_info(requests)")]
        kept = connection.execute("SELECT key FROM meta ORDER BY key").fetchall()
    assert set(shown) == {"seq", "time", *PUBLIC, *LOCAL}
    assert tables.keys() == BOOKKEEPING.keys() | OFFERED.keys()
    for table, names in tables.items():
        if table in OFFERED:
            assert set(names) == OFFERED[table]
        else:
            assert set(names) - BOOKKEEPING[table] <= {*PUBLIC, *LOCAL}
    assert [key for (key,) in kept] == [
        "forgotten",
        "rolled_until",
        "schema_generation",
        "session_key",
    ]


def test_no_table_of_the_store_has_a_place_for_what_was_not_asked_for(store: Path) -> None:
    """No virtual tables, no triggers that copy, no files of its own beside the usual three."""
    with closing(sqlite3.connect(store)) as connection:
        made = connection.execute("SELECT DISTINCT type FROM sqlite_master ORDER BY type")
        assert [kind for (kind,) in made] == ["index", "table", "trigger", "view"]
        triggers = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'")
        assert all(
            "UPDATE meta SET value = value + 1" in sql
            or "DELETE FROM schema_" in sql
            or "DELETE FROM session_" in sql
            or "DELETE FROM rollup" in sql
            or "INSERT INTO rollup_late (ts_ms)" in sql
            or "INSERT INTO rollup_mark (grain, start_ms)" in sql
            for (sql,) in triggers
        )
        names = {path.name for path in store.parent.iterdir()}
        assert names <= {"store.db", "store.db-wal", "store.db-shm"}


@pytest.mark.parametrize("name", [*PUBLIC, *LOCAL])
def test_the_page_on_privacy_explains_every_column(name: str) -> None:
    part = "may leave" if name in PUBLIC else "stays here"
    assert re.search(rf"^\| `{name}` \| {part} \| \S", PAGE, re.MULTILINE)


def test_the_page_on_privacy_explains_nothing_that_is_not_there() -> None:
    named = re.findall(r"^\| `(\w+)` \| (?:may leave|stays here) \|", PAGE, re.MULTILINE)
    assert named == [*PUBLIC, *LOCAL]


def test_what_an_event_loop_prints_of_a_mistake_shows_no_secret() -> None:
    """It prints the `repr` of what it was working on."""
    heads = Heads(max_line=1000, max_fields=100)
    asked = heads.request(request("GET", "/mcp?token=canary", None, b"Cookie: canary"))
    told = heads.response(answer(None, b"Set-Cookie: canary"))
    names = SessionNames(bytes(32))
    names.name(b"canary")
    shown = [repr(value) for value in (heads, asked, told, names)]
    assert [text for text in shown if "canary" in text] == []
    assert HOST.decode() not in "".join(shown)


def test_the_lines_for_people_show_nothing_of_the_local_part() -> None:
    detail = Detail("canary", "canary", "canary", "canary", "canary", "canary", "canary", 5)
    event = an_event(detail=detail)
    assert "canary" not in Pretty(has_colour=False).line(event)
    assert b"canary" not in envelope.encode(event)
