"""sinks/access: a line for each exchange, whatever is in it and whatever the disk does."""

import json
import os
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.events.building import an_event, events, many
from tests.sinks.sinks import Progress

from mcpr.errors import McprError, UsageError
from mcpr.events import Aside, RequestEvent, is_error, to_text
from mcpr.sinks import Bus
from mcpr.sinks.access import BATCH_METHOD, FIELDS, AccessSink, Exchanges, as_json, as_text, entry

PAGE = Path(__file__).parents[2] / "docs/topics/observability.md"


def opened(path: Path, form: str = "json") -> AccessSink:
    sink = AccessSink(f"{form}:{path}")
    sink.open()
    return sink


def ids(path: Path) -> list[str]:
    """The ids of the lines, each of which is whole."""
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


def a_batch(number: int, *rows: dict[str, object]) -> list[RequestEvent]:
    return [an_event(aside=Aside(number, len(rows)), **row) for row in rows]


def test_a_line_says_what_is_public_and_leaves_out_what_is_not_known() -> None:
    event = an_event(outcome="rpc_error", origin="server", rpc_code=-32603, revision=None)
    assert json.loads(as_json([event])) == {
        "time": "2026-01-01T00:00:00.123Z",
        "id": to_text(event.id),
        "server": "weather",
        "kind": "rpc",
        "method": "tools/call",
        "tool": "get_weather",
        "rpcs": 1,
        "http_status": 200,
        "outcome": "rpc_error",
        "origin": "server",
        "rpc_code": -32603,
        "latency_us": 45_200,
        "upstream_us": 44_100,
        "bytes_in": 147,
        "bytes_out": 312,
        "session": "0123456789abcdef0123456789abcdef",
        "client": "claude-code",
        "client_version": "2.1.0",
    }


def test_a_line_of_text_has_every_field_in_its_place() -> None:
    event = an_event(kind="http", method=None, tool=None, server='a "b"\n', client=None)
    assert as_text([event]).decode() == (
        f'2026-01-01T00:00:00.123Z {to_text(event.id)} "a \\"b\\"\\n" http - - 0 200 ok - - '
        "45200 44100 147 312 0123456789abcdef0123456789abcdef - 2.1.0 2025-11-25\n"
    )


_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|[^ ]+')


@given(events, st.text(max_size=30))
def test_whatever_a_name_holds_a_line_stays_one_line_and_can_be_read_back(
    event: RequestEvent, tool: str
) -> None:

    event = msgspec.structs.replace(event, tool=tool)
    said = entry([event])
    assert tuple(said) == FIELDS
    line = as_json([event])
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", line)
    known = {name: value for name, value in said.items() if value is not None}
    assert json.loads(line) == known
    text = as_text([event])
    assert text.count(b"\n") == 1
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f-\xff]", text)
    words = _WORD.findall(text.decode()[:-1])
    assert len(words) == len(FIELDS)
    for name, word in zip(FIELDS, words, strict=True):
        read = json.loads(word) if word.startswith('"') else word
        assert read == ("-" if said[name] is None else str(said[name]))


@given(events)
def test_no_line_holds_anything_of_the_detail_or_of_a_trace(event: RequestEvent) -> None:

    plain = msgspec.structs.replace(event, detail=None, aside=None)
    traced = msgspec.structs.replace(event, aside=Aside(parent=b"p" * 25, link=b"l" * 25))
    assert as_json([event]) == as_json([plain]) == as_json([traced])
    assert as_text([event]) == as_text([plain]) == as_text([traced])


def test_the_rows_of_a_batch_are_one_line_written_when_the_last_one_came(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    sink = opened(path)
    rows = a_batch(
        7,
        {"latency_us": 5, "upstream_us": 4, "tool": "a"},
        {"latency_us": 9, "upstream_us": None, "outcome": "tool_error", "origin": "tool"},
        {"latency_us": 7, "upstream_us": 6},
    )
    alone = an_event()
    sink.write([rows[0], alone, rows[1]])
    assert ids(path) == [to_text(alone.id)]
    sink.write([rows[2]])
    line = json.loads(path.read_text().splitlines()[1])
    assert line["method"] == BATCH_METHOD
    assert "tool" not in line
    assert (line["rpcs"], line["outcome"], line["origin"]) == (3, "tool_error", "tool")
    assert (line["latency_us"], line["upstream_us"]) == (9, 6)
    assert (line["bytes_in"], line["bytes_out"]) == (3 * 147, 3 * 312)
    assert line["id"] == to_text(rows[0].id)
    sink.close()


def test_what_waits_for_rows_has_a_bound_and_is_written_at_the_end(tmp_path: Path) -> None:
    exchanges = Exchanges(most_open=2)
    firsts = [a_batch(number, {}, {})[0] for number in (1, 2, 3)]
    assert exchanges.add(firsts[0]) == exchanges.add(firsts[1]) == []
    assert exchanges.add(firsts[2]) == [[firsts[0]]]
    assert exchanges.rest() == [[firsts[1]], [firsts[2]]]
    assert exchanges.rest() == []
    sink = opened(tmp_path / "access.log")
    sink.write([firsts[0]])
    sink.close()
    assert ids(tmp_path / "access.log") == [to_text(firsts[0].id)]


@given(st.lists(st.sampled_from(["ok", "tool_error", "client_gone", "timeout"]), min_size=1))
def test_a_batch_failed_if_one_of_its_requests_did(outcomes: list[str]) -> None:
    rows = a_batch(1, *[dict[str, object](outcome=outcome) for outcome in outcomes])
    told = entry(rows)["outcome"]
    assert told in outcomes
    assert any(map(is_error, outcomes)) == is_error(told)  # type: ignore[arg-type]  # of the list


def test_a_file_that_was_moved_is_written_until_it_is_opened_anew(tmp_path: Path) -> None:
    path, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    first, second, third = many(3)
    sink = opened(path)
    sink.write([first])
    path.rename(moved)
    sink.write([second])
    sink.reopen()
    sink.write([third])
    sink.close()
    assert ids(moved) == [to_text(first.id), to_text(second.id)]
    assert ids(path) == [to_text(third.id)]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_opened_anew_leaves_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = opened(folder / "access.log")
    folder.rename(tmp_path / "moved")
    with pytest.raises(McprError, match="cannot open the access log"):
        sink.reopen()
    sink.write(many(1))
    sink.close()
    assert len(ids(tmp_path / "moved" / "access.log")) == 1


def test_a_full_disk_is_an_error_that_says_so_and_the_books_close(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sink = AccessSink("json:/dev/full")
    sink.retry_seconds = 0.2
    progress = Progress()
    bus = Bus([sink], progress)
    bus.start()
    bus.publish(many(5))
    progress.until(lambda: bus.lanes[0].books()[1].dropped_total == 5)
    assert "cannot write the access log: No space left on device" in str(bus.lanes[0].trouble)
    bus.drain(20)
    counts = bus.counts()["access"]
    assert (counts.published, counts.written, counts.dropped) == (5, 0, 5)
    assert "5 events were dropped" in caplog.text


class Little(AccessSink):
    """A disk with so much room; `most_bytes` can grow."""

    most_bytes = 0

    def _system_write(self, data: memoryview) -> int:
        room = min(self.most_bytes, len(data))
        self.most_bytes -= room
        if not room:
            raise OSError(28, "No space left on device")
        return super()._system_write(data[:room])


@pytest.mark.parametrize("room", [0, 1, 100, 1000])
def test_a_batch_that_is_offered_again_goes_on_where_the_disk_was_full(
    tmp_path: Path, room: int
) -> None:
    path = tmp_path / "access.log"
    sink = Little(f"json:{path}")
    sink.open()
    batch = many(5)
    sink.most_bytes = room
    with pytest.raises(McprError):
        sink.write(batch)
    sink.most_bytes = 1_000_000
    assert sink.write(batch) == 5
    sink.close()
    assert ids(path) == [to_text(event.id) for event in batch]


def test_after_a_batch_was_given_up_the_next_line_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    sink = Little(f"json:{path}")
    sink.open()
    sink.most_bytes = 500
    with pytest.raises(McprError):
        sink.write(many(5))
    sink.most_bytes = 1_000_000
    batch = many(2)
    sink.write(batch)
    sink.close()
    lines = path.read_bytes().splitlines()
    assert [json.loads(line)["id"] for line in lines[-2:]] == [to_text(e.id) for e in batch]
    assert sum(line.endswith(b"}") for line in lines) == len(lines) - 1


def test_a_line_that_was_torn_when_the_file_was_rotated_is_whole_in_the_new_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "access.log"
    sink = Little(f"json:{path}")
    sink.open()
    batch = many(3)
    line = len(as_json([batch[0]]))
    sink.most_bytes = line + 10
    with pytest.raises(McprError):
        sink.write(batch)
    path.rename(tmp_path / "old")
    sink.reopen()
    sink.most_bytes = 1_000_000
    sink.write(batch)
    sink.close()
    assert ids(path) == [to_text(event.id) for event in batch[1:]]
    assert (tmp_path / "old").read_bytes().startswith(as_json([batch[0]]))


def test_stdout_is_a_pipe_like_any_other() -> None:
    reader, writer = os.pipe()
    try:
        sink = AccessSink("text:-", writer)
        sink.open()
        sink.reopen()
        sink.write(many(1))
        sink.close()
        os.close(writer)
        with os.fdopen(reader, "rb", closefd=False) as said:
            assert said.read().count(b"\n") == 1
    finally:
        os.close(reader)


@pytest.mark.parametrize("target", ["", "json", "json:", "csv:-", ":-"])
def test_what_is_no_form_is_refused(target: str) -> None:
    with pytest.raises(UsageError):
        AccessSink(target)


def test_the_page_explains_every_field_in_its_order() -> None:
    explained = re.findall(r"^\| `(\w+)` \| \d+ \|", PAGE.read_text(), re.MULTILINE)
    assert tuple(explained) == FIELDS
