"""cli/sessions: who calls, each output as in its golden file."""

import json
from pathlib import Path

import pytest
from tests.cli.asking import NOW_MS, ask, golden
from tests.events.building import an_event
from tests.store.building import a_store

from mcpr.errors import Exit
from mcpr.events import Detail, Ids, Link, RequestEvent, link_text

FIRST, SECOND, THIRD = ("5f" + "0" * 30, "5f1" + "0" * 29, "c0ffee" + "0" * 26)


def a_days_sessions(path: Path) -> Path:
    """A store with a session of every kind, at known times and with known ids."""
    ids = Ids(lambda _bits: 5)

    def event(minutes_ago: float, session: str | None, **fields: object) -> RequestEvent:
        ts_ms = NOW_MS - round(minutes_ago * 60_000)
        given = {"id": ids.mint(ts_ms), "ts_ms": ts_ms, "session": session, "detail": None}
        if session == FIRST:
            given["detail"] = Detail(client_name="Claude Code")
        return an_event(**(given | fields))

    def opens(minutes_ago: float, session: str, name: str, **fields: object) -> RequestEvent:
        link = link_text(Link(opens=True, server_name="Weather", server_version="3.0"))
        detail = Detail(client_name=name, link=link)
        said = {"method": "initialize", "tool": None, "detail": detail}
        return event(minutes_ago, session, **(said | fields))

    cursor = {"client": "cursor", "client_version": "1.0.0", "revision": "2025-06-18"}
    cursors = {**cursor, "detail": Detail(client_name="cursor-vscode")}
    mine = {"client": "other", "client_version": None, "detail": Detail(client_name="mine\x1b[2J")}
    modern = {"client": "chatgpt", "client_version": "1.0.0", "revision": "2026-07-28"}
    gpt = Detail(client_name="openai-mcp")
    failed = {"outcome": "tool_error", "origin": "tool"}
    ended = {"kind": "http", "method": None, "tool": None}
    deleted = Detail(http_method="DELETE", path="/mcp", link=link_text(Link(ends=True)))
    return a_store(
        path,
        [
            opens(600, THIRD, "cursor-vscode", **cursor),
            event(599, THIRD, **cursors),
            event(598, THIRD, **(cursors | failed)),
            event(590, THIRD, **(cursor | ended), detail=deleted),
            opens(60, SECOND, "mine\x1b[2J", client="other", client_version=None),
            event(50, SECOND, **mine),
            event(20, None, **modern, tool="forecast", detail=gpt),
            event(19, None, **modern, detail=Detail(client_name="openai-mcp", note="mismatch")),
            opens(4, FIRST, "Claude Code"),
            event(3, FIRST, tool="forecast"),
            event(2, FIRST),
            event(2_000, "dead" * 8),
        ],
    )


CASES = {
    "sessions": [],
    "sessions-active": ["--active"],
    "sessions-limit": ["-n", "2"],
    "sessions-client": ["--client", "cursor"],
    "sessions-nothing": ["--client", "zed"],
    "sessions-json": ["-o", "json", "-n", "1"],
    "sessions-csv": ["-o", "csv"],
    "session-prefix": ["5f0"],
    "session-json": ["c0ff", "-o", "json", "-n", "1"],
    "session-unseen": ["dead"],
    "session-limit": ["c0f", "-n", "1"],
    "clients": [],
    "clients-json": ["-o", "json"],
    "clients-nothing": ["--until", "2026-07-01"],
    "compat": [],
    "compat-csv": ["-o", "csv"],
}


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_as_in_its_golden_file(tmp_path: Path, name: str) -> None:
    path = a_days_sessions(tmp_path / "s.db")
    command = name.partition("-")[0]
    assert ask(command, "--db", path, *CASES[name]) == (Exit.OK, golden(f"{name}.txt"), "")


@pytest.mark.parametrize("command", ["sessions", "clients", "compat"])
def test_an_empty_store_says_what_to_do_now(tmp_path: Path, command: str) -> None:
    path = a_store(tmp_path / "s.db")
    assert ask(command, "--db", path) == (Exit.OK, golden("empty-store.txt"), "")


@pytest.mark.parametrize(
    ("prefix", "why"),
    [("5f", "several begin so"), ("0", "no session in the store"), ("xyz", "hex digits")],
)
def test_a_beginning_must_name_one_session(tmp_path: Path, prefix: str, why: str) -> None:
    answer = ask("session", prefix, "--db", a_days_sessions(tmp_path / "s.db"))
    assert (answer.code, answer.out) == (Exit.USAGE, "")
    assert why in answer.err
    assert "[usage.id]" in answer.err


def test_an_inferred_conversation_can_be_asked_about_as_it_is_shown(tmp_path: Path) -> None:
    path = a_days_sessions(tmp_path / "s.db")
    shown = [line.split()[0] for line in ask("sessions", "--db", path).out.splitlines()]
    (marked,) = [word for word in shown if word.endswith("~")]
    answer = ask("session", marked, "--db", path, "-o", "json")
    assert json.loads(answer.out)["about"]["is_inferred"]
    assert "inferred  from the client" in ask("session", marked, "--db", path).out


def test_a_shared_id_is_said_to_be_one(tmp_path: Path) -> None:
    again = Detail(link=link_text(Link(opens=True)))
    events = [an_event(session=FIRST, client=name, detail=again) for name in ("zed", "goose")]
    answer = ask("session", FIRST, "--db", a_store(tmp_path / "s.db", events))
    assert "shared    the server gave its id to two clients" in answer.out


def test_what_a_client_calls_itself_does_not_drive_the_terminal(tmp_path: Path) -> None:
    path = a_days_sessions(tmp_path / "s.db")
    for command in (["sessions"], ["clients"], ["session", "5f1"]):
        assert "\x1b" not in ask(*command, "--db", path).out
