"""proxy/recorder when the companion is killed, stopped, stuck or slow: the books close.

Real processes. The sinks are the small ones of companion_program.py.
"""

import asyncio
import os
import random
import signal
from pathlib import Path

import msgspec
import pytest
from tests.events.building import an_event, many
from tests.proxy.recording import (
    held,
    is_alive,
    is_settled,
    kill_companion,
    lines,
    messages,
    recording,
    run,
    until,
)

from mcpr.proxy.recorder import Recorder
from mcpr.sinks import Counts


def test_a_killed_companion_is_followed_by_another_and_the_books_close(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Kills under flow. Rows may outnumber `written`: what was stored and not yet confirmed."""

    async def scene() -> None:
        published = 0
        async with recording(("lines", tmp_path / "a")) as recorder:
            for _ in range(3):
                await until(lambda: recorder.counts().under_way == 0)
                pid = recorder.companion_pid
                assert pid is not None
                for event in many(2000):
                    recorder.publish(event)
                    published += 1
                    if published % 100 == 0:
                        await asyncio.sleep(0)
                    if published % 2000 == 1000:
                        os.kill(pid, signal.SIGKILL)
                await until(lambda pid=pid: recorder.companion_pid not in (pid, None))  # type: ignore[misc] # bound
            counts = await recorder.drain(10.0)
        assert counts.published == published
        assert is_settled(counts)
        rows = lines(tmp_path / "a")
        assert len(set(rows)) == len(rows)
        assert counts.written <= len(rows) <= published
        assert counts.written + counts.dropped == published

    run(scene())
    deaths = [said for said in messages(caplog) if "signal 9 killed it" in said]
    assert len(deaths) == len(messages(caplog)) == 3


def test_events_are_kept_while_a_dead_companion_is_replaced(tmp_path: Path) -> None:
    async def scene() -> None:
        async with recording(("lines", tmp_path / "a")) as recorder:
            await kill_companion(recorder)
            for event in many(2000):
                recorder.publish(event)
            await until(lambda: recorder.counts() == Counts(2000, 2000, 0, 0))

    run(scene())


def test_no_more_events_are_kept_for_a_companion_that_is_away_than_the_bound(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        async with recording(("lines", tmp_path / "a"), away_events=500) as recorder:
            events = many(2000)
            await kill_companion(recorder)
            for event in events:
                recorder.publish(event)
            await until(lambda: is_settled(recorder.counts()))
            assert recorder.counts() == Counts(2000, 500, 0, 1500)
        assert lines(tmp_path / "a") == [event.id.hex() for event in events[:500]]

    run(scene())


def test_a_stopped_companion_costs_bounded_memory_and_counted_events_until_it_goes_on(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        bound = 256 * 1024
        async with recording(("lines", tmp_path / "a"), pipe_bytes=bound) as recorder:
            pid = recorder.companion_pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            event = an_event()
            for number in range(20_000):
                recorder.publish(event)
                if number % 256 == 0:
                    await asyncio.sleep(0)
                    assert recorder._link is not None
                    assert recorder._link.waiting_bytes <= bound
            dropped = recorder.counts().dropped
            assert dropped > 10_000
            os.kill(pid, signal.SIGCONT)
            await until(lambda: is_settled(recorder.counts()))
            assert recorder.counts() == Counts(20_000, 20_000 - dropped, 0, dropped)
            assert recorder._ledger.losses().dropped == {"pipe_full": dropped}
            assert recorder.companion_pid == pid

    run(scene())


def test_a_stuck_sink_fills_its_own_lane_only(tmp_path: Path) -> None:
    async def scene() -> None:
        sinks = ("lines", tmp_path / "a"), ("gate", tmp_path / "gate")
        with held(tmp_path / "gate"):
            async with recording(*sinks) as recorder:
                for event in many(1000):
                    recorder.publish(event)
                await until(lambda: recorder.counts().written == 1000)
                assert recorder.counts_by_sink()["gate"].written == 0

    run(scene())


def test_a_drain_kills_a_companion_that_does_not_answer(tmp_path: Path) -> None:
    async def scene() -> None:
        async with recording(("lines", tmp_path / "a")) as recorder:
            pid = recorder.companion_pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            for event in many(700):
                recorder.publish(event)
            assert await recorder.drain(0.3) == Counts(700, 0, 0, 700)
            assert not is_alive(pid)

    run(scene())


def test_a_drain_has_a_new_companion_write_what_was_kept_for_it(tmp_path: Path) -> None:
    async def scene() -> None:
        async with recording(("lines", tmp_path / "a")) as recorder:
            await kill_companion(recorder)
            for event in many(50):
                recorder.publish(event)
            assert await recorder.drain(20.0) == Counts(50, 50, 0, 0)

    run(scene())


def test_a_companion_that_dies_while_draining_is_not_followed_by_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        with held(tmp_path / "gate"):
            async with recording(("gate", tmp_path / "gate")) as recorder:
                pid = recorder.companion_pid
                assert pid is not None
                for event in many(50):
                    recorder.publish(event)
                draining = asyncio.get_running_loop().create_task(recorder.drain(20.0))
                await asyncio.sleep(0)
                os.kill(pid, signal.SIGKILL)
                assert await draining == Counts(50, 0, 0, 50)

    run(scene())
    assert "50 events were lost" in caplog.text


@pytest.mark.parametrize("seed", range(3))
def test_the_books_close_whatever_happens_to_the_companion(seed: int, tmp_path: Path) -> None:
    """Under kills, stops, full pipes, failing sinks and digests, by chance."""

    async def scene() -> None:
        async with recording(
            ("lines", tmp_path / "a"),
            ("moody", tmp_path / "b"),
            pipe_bytes=100_000,
            away_events=1000,
        ) as recorder:
            storm = Storm(recorder, tmp_path / "b.bad", seed)
            for _ in range(50):
                await storm.strike()
            await storm.calm()
            await recorder.drain(20.0)
            for counts in recorder.counts_by_sink().values():
                assert counts.published == storm.published
                assert counts.published == counts.written + counts.rejected + counts.dropped
            rows = lines(tmp_path / "a")
            assert 0 < recorder.counts().written <= len(rows) <= storm.published

    run(scene())


class Storm:
    """Bad weather for a recorder. published: how many events it was given."""

    def __init__(self, recorder: Recorder, mood: Path, seed: int) -> None:
        self.published = 0
        self._recorder = recorder
        self._mood = mood
        self._chance = random.Random(seed)

    async def strike(self) -> None:
        strikes = {
            self._events: 8,
            self._digest: 4,
            self._change_mood: 2,
            self._stop: 2,
            # Few: after each the recorder waits twice as long.
            self._kill: 1,
        }
        (strike,) = self._chance.choices(list(strikes), list(strikes.values()))
        strike()
        if self._chance.random() < 0.3:
            await self.calm()

    async def calm(self) -> None:
        """Let the companion go on, or the next one come, until nothing is under way."""
        self._signal(signal.SIGCONT)
        await until(
            lambda: self._recorder._link is not None and is_settled(self._recorder.counts())
        )

    def _events(self) -> None:
        batch = many(self._chance.randint(1, 1500))
        self.published += len(batch)
        for event in batch:
            self._recorder.publish(event)

    def _digest(self) -> None:
        # One event, so that one digest is one event however far it comes.
        body = self._chance.choice((b"\xc1", msgspec.msgpack.encode(many(1))))
        self.published += self._recorder.digest(body)

    def _change_mood(self) -> None:
        if self._mood.exists():
            self._mood.unlink()
        else:
            self._mood.touch()

    def _stop(self) -> None:
        self._signal(signal.SIGSTOP)

    def _kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        pid = self._recorder.companion_pid
        if pid is not None:
            os.kill(pid, number)
