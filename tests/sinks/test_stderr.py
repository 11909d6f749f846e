"""sinks/stderr: what a person, or a program, sees of each call."""

import os
import pty
import threading
from datetime import UTC, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.events.building import an_event, events, many

from mcpr.errors import McprError, UsageError
from mcpr.events import RequestEvent, envelope
from mcpr.sinks.stderr import Pretty, StderrSink, duration, shown, wants_colour

PLAIN = Pretty(has_colour=False, zone=UTC)


def test_a_pretty_line_says_when_what_how_long_how_and_who() -> None:
    assert PLAIN.line(an_event()) == (
        "00:00:00.123  tools/call                get_weather                  45 ms"
        "  ok                        claude-code 2.1.0\n"
    )


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"outcome": "tool_error", "origin": "tool"}, "tool_error (tool)"),
        (
            {"outcome": "rpc_error", "origin": "client", "rpc_code": -32602},
            "rpc_error -32602 (client)",
        ),
        (
            {"outcome": "http_error", "origin": "server", "http_status": 502},
            "http_error 502 (server)",
        ),
        ({"client": None, "client_version": None}, "  -\n"),
        ({"client_version": None}, "  claude-code\n"),
        ({"tool": None}, "  -  "),
        ({"method": None, "kind": "stream"}, "  stream  "),
    ],
)
def test_a_pretty_line_tells_what_is_known(fields: dict[str, object], part: str) -> None:
    assert part in PLAIN.line(an_event(**fields))


def test_lines_of_different_calls_are_aligned() -> None:
    one, other = PLAIN.line(an_event()), PLAIN.line(an_event(tool="x", latency_us=1_200_000))
    assert one.index("ok") == other.index("ok")
    assert one.index("claude") == other.index("claude")


def test_the_time_is_the_viewers() -> None:
    east = Pretty(has_colour=False, zone=timezone(timedelta(hours=5, minutes=30)))
    assert east.line(an_event()).startswith("05:30:00.123 ")


def test_each_second_has_its_own_clock() -> None:
    pretty = Pretty(has_colour=False, zone=UTC)
    times = [pretty.line(an_event(ts_ms=ts_ms))[:12] for ts_ms in (0, 999, 1000, 61_000, 5)]
    assert times == ["00:00:00.000", "00:00:00.999", "00:00:01.000", "00:01:01.000", "00:00:00.005"]


@pytest.mark.parametrize(
    ("outcome", "colour"), [("ok", "\x1b[32m"), ("tool_error", "\x1b[31m"), ("probe", "\x1b[33m")]
)
def test_the_colour_says_whether_it_is_an_error(outcome: str, colour: str) -> None:
    assert f"{colour}{outcome}" in Pretty(has_colour=True).line(an_event(outcome=outcome))


@given(st.text())
def test_no_text_can_steer_the_terminal(text: str) -> None:
    event = an_event(server=text, method=text, tool=text, client=text, client_version=text)
    line = PLAIN.line(event)
    assert line[:-1].isprintable()
    assert line.count("\n") == 1


def test_control_characters_are_written_out() -> None:
    assert shown("a\x1b[31m\nü") == "a\\x1b[31m\\nü"


@given(events)
def test_a_pretty_line_holds_nothing_of_the_detail(event: RequestEvent) -> None:
    assert PLAIN.line(event) == PLAIN.line(msgspec.structs.replace(event, detail=None))


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "0.0 ms"),
        (340, "0.3 ms"),
        (9_949, "9.9 ms"),
        (45_200, "45 ms"),
        (999_000, "999 ms"),
        (1_204_000, "1.20 s"),
        (95_400_000, "95 s"),
    ],
)
def test_durations_are_written_for_comparing(microseconds: int, text: str) -> None:
    assert duration(microseconds) == text


def test_json_is_the_envelope_line_by_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    batch = many(3)
    with log.open("wb") as file:
        sink = StderrSink("json", file.fileno())
        sink.open()
        assert sink.write(batch) == 3
        sink.close()
    assert log.read_bytes().splitlines() == [envelope.encode(event) for event in batch]
    assert b"secret" not in log.read_bytes()


def test_a_pipe_that_takes_only_a_part_gets_every_line_whole_and_once() -> None:
    """Another program may have made the terminal non-blocking."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    batch = many(2000)
    received = bytearray()

    def read() -> None:
        while chunk := os.read(reading, 4096):
            received.extend(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    sink = StderrSink("json", writing)
    assert sink.write(batch) == 2000
    os.close(writing)
    reader.join(20)
    os.close(reading)
    assert received.splitlines() == [envelope.encode(event) for event in batch]


def test_a_closed_stderr_is_an_error_that_says_what_to_do() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(McprError, match=r"Broken pipe.*--log off"):
        StderrSink("json", writing).write(many(1))
    os.close(writing)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(UsageError, match="pretty, json or off"):
        StderrSink("yaml")


def test_colours_are_for_terminals_only() -> None:
    master, slave = pty.openpty()
    reading, writing = os.pipe()
    assert wants_colour(slave, {"TERM": "xterm"})
    assert not wants_colour(slave, {"TERM": "xterm", "NO_COLOR": "1"})
    assert not wants_colour(slave, {"TERM": "dumb"})
    assert not wants_colour(writing, {"TERM": "xterm"})
    for fd in (master, slave, reading, writing):
        os.close(fd)
