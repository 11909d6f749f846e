"""proxy/recorder: events go to a companion process, nothing waits for it, and the books close.

Real processes. The sinks are the small ones of companion_program.py.
"""

import os
import sys
from pathlib import Path

import msgspec
import pytest
from tests.events.building import an_event, many
from tests.proxy.recording import (
    PROGRAM,
    held,
    is_alive,
    is_settled,
    kill_companion,
    lines,
    recording,
    run,
    until,
)

from mcpr.errors import McprError
from mcpr.events import Batch
from mcpr.proxy.recorder import Recorder, RecorderSettings
from mcpr.sinks import Counts

HOUR_SECONDS = 3600.0


def test_what_is_published_is_written_in_order_and_counted(tmp_path: Path) -> None:
    async def scene() -> None:
        events = many(3000)
        async with recording(("lines", tmp_path / "a")) as recorder:
            for event in events:
                recorder.publish(event)
            assert await recorder.drain(10.0) == Counts(3000, 3000, 0, 0)
        assert lines(tmp_path / "a") == [event.id.hex() for event in events]

    run(scene())


def test_events_that_are_published_together_are_written_in_order(tmp_path: Path) -> None:
    """One by one, as a list, as rows: what was published first is written first."""

    async def scene() -> None:
        events = many(1000)
        async with recording(("lines", tmp_path / "a")) as recorder:
            for start in range(0, 1000, 50):
                recorder.publish(events[start])
                recorder.publish_all(events[start + 1 : start + 30])
                recorder.publish_rows(list(events[start + 30 : start + 40]), Batch.of)
                recorder.publish_rows(list(events[start + 40 : start + 49]), Batch.of)
                recorder.publish_all(events[start + 49 : start + 50])
                recorder.publish_all([])
            assert await recorder.drain(10.0) == Counts(1000, 1000, 0, 0)
        assert lines(tmp_path / "a") == [event.id.hex() for event in events]

    run(scene())


def test_an_event_is_sent_without_a_second_one(tmp_path: Path) -> None:
    async def scene() -> None:
        async with recording(("lines", tmp_path / "a")) as recorder:
            recorder.publish(an_event())
            await until(lambda: recorder.counts() == Counts(1, 1, 0, 0))

    run(scene())


def test_a_full_batch_does_not_wait_for_the_timer(tmp_path: Path) -> None:
    async def scene() -> None:
        async with recording(("lines", tmp_path / "a"), flush_seconds=HOUR_SECONDS) as recorder:
            for event in many(300):
                recorder.publish(event)
            await until(lambda: recorder.counts() == Counts(300, 256, 0, 0))

    run(scene())


def test_every_sink_has_its_own_books(tmp_path: Path) -> None:
    async def scene() -> None:
        (tmp_path / "b.bad").touch()
        async with recording(("lines", tmp_path / "a"), ("moody", tmp_path / "b")) as recorder:
            for event in many(10):
                recorder.publish(event)
            await recorder.drain(10.0)
            assert recorder.counts_by_sink() == {
                "lines": Counts(10, 10, 0, 0),
                "moody": Counts(10, 0, 0, 10),
            }

    run(scene())


def test_a_store_that_cannot_be_opened_is_an_error_at_the_start(tmp_path: Path) -> None:
    async def scene() -> None:
        target = str(tmp_path / "no folder" / "a")
        recorder = Recorder(RecorderSettings((("lines", target),), command=PROGRAM))
        with pytest.raises(McprError, match="cannot open the lines: No such file"):
            await recorder.start()
        assert recorder.companion_pid is None

    run(scene())


def test_a_sink_that_is_not_known_is_an_error_at_the_start() -> None:
    async def scene() -> None:
        recorder = Recorder(RecorderSettings((("kafka", ""),), command=PROGRAM))
        with pytest.raises(McprError, match="no such sink"):
            await recorder.start()

    run(scene())


def test_a_companion_that_ends_at_once_is_an_error() -> None:
    async def scene() -> None:
        recorder = Recorder(RecorderSettings((), command=(sys.executable, "-c", "exit(3)")))
        with pytest.raises(McprError, match="it ended with status 3"):
            await recorder.start()

    run(scene())


def test_a_companion_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = Recorder(RecorderSettings((), command=(str(tmp_path / "missing"),)))
        with pytest.raises(McprError, match="could not be started"):
            await recorder.start()

    run(scene())


def test_a_companion_that_does_not_get_ready_is_killed(tmp_path: Path) -> None:
    async def scene() -> None:
        note = tmp_path / "pid"
        program = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid()))\n"
        recorder = Recorder(
            RecorderSettings(
                (),
                start_seconds=1.0,
                command=(sys.executable, "-c", f"{program}time.sleep(3600)"),
            )
        )
        with pytest.raises(McprError, match="not ready in 1 s"):
            await recorder.start()
        assert not is_alive(int(note.read_text()))

    run(scene())


def test_the_companion_is_out_of_reach_of_the_terminals_ctrl_c(tmp_path: Path) -> None:
    async def scene() -> None:
        async with recording(("lines", tmp_path / "a")) as recorder:
            pid = recorder.companion_pid
            assert pid is not None
            assert os.getsid(pid) == pid

    run(scene())


def test_a_module_in_the_working_directory_is_not_taken_for_one_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit('a stranger')")
    monkeypatch.chdir(tmp_path)

    async def scene() -> None:
        recorder = Recorder(RecorderSettings((("stderr", "json"),)))
        await recorder.start()
        assert await recorder.drain(5.0) == Counts(0, 0, 0, 0)

    run(scene())


def test_a_drain_ends_at_its_deadline_and_counts_what_is_left(tmp_path: Path) -> None:
    async def scene() -> None:
        with held(tmp_path / "gate"):
            async with recording(("gate", tmp_path / "gate")) as recorder:
                pid = recorder.companion_pid
                assert pid is not None
                for event in many(700):
                    recorder.publish(event)
                assert await recorder.drain(0.5) == Counts(700, 0, 0, 700)
                assert recorder._ledger.tallies()[0].dropped == {"deadline": 700}
                assert not is_alive(pid)

    run(scene())


def test_events_after_the_drain_are_counted_and_go_nowhere(tmp_path: Path) -> None:
    async def scene() -> None:
        async with recording(("lines", tmp_path / "a")) as recorder:
            await recorder.drain(5.0)
            for event in many(300):
                recorder.publish(event)
            assert not recorder.digest(b"too late")
            await until(lambda: is_settled(recorder.counts()))
            assert recorder.counts() == Counts(300, 0, 0, 300)
            assert recorder._ledger.losses().dropped == {"closing": 300}

    run(scene())


def test_an_event_that_has_no_binary_form_is_counted_and_costs_no_other(tmp_path: Path) -> None:
    """A half surrogate in a name, a number of 65 bits: the record must not be stopped by either."""

    async def scene() -> None:
        async with recording(("lines", tmp_path / "a")) as recorder:
            for event in (an_event(), an_event(tool="\ud800"), an_event(rpc_code=2**64)):
                recorder.publish(event)
            assert await recorder.drain(10.0) == Counts(3, 1, 0, 2)

    run(scene())


def test_a_digest_becomes_the_events_that_are_in_it(tmp_path: Path) -> None:
    async def scene() -> None:
        async with recording(("lines", tmp_path / "a")) as recorder:
            for count in (1, 3, 0):
                assert recorder.digest(msgspec.msgpack.encode(many(count)))
            recorder.publish(an_event())
            assert await recorder.drain(10.0) == Counts(5, 5, 0, 0)

    run(scene())


def test_a_digest_that_cannot_be_read_is_one_lost_event(tmp_path: Path) -> None:
    async def scene() -> None:
        async with recording(("lines", tmp_path / "a")) as recorder:
            recorder.digest(b"\xc1")
            recorder.digest(msgspec.msgpack.encode(many(2)))
            assert await recorder.drain(10.0) == Counts(3, 2, 0, 1)
            assert recorder._ledger.tallies()[0].dropped == {"digest_failed": 1}

    run(scene())


def test_a_digest_that_nobody_can_take_is_given_back_and_not_counted(tmp_path: Path) -> None:
    """Whoever has it knows enough of the call to publish an event without it."""

    async def scene() -> None:
        async with recording(("lines", tmp_path / "a"), pipe_bytes=1000) as recorder:
            assert not recorder.digest(bytes(1001))
            await kill_companion(recorder)
            assert not recorder.digest(b"")
            assert recorder.counts() == Counts(0, 0, 0, 0)

    run(scene())


def test_a_recorder_shows_its_books_to_the_debugger(tmp_path: Path) -> None:
    async def scene() -> None:
        async with recording(("lines", tmp_path / "a")) as recorder:
            shown = "<Recorder companion=up published=0 written=0 rejected=0 dropped=0>"
            assert repr(recorder) == shown

    run(scene())
