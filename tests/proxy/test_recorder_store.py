"""proxy/recorder with the real store: what is in the file after everything that can go wrong."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from tests.events.building import many
from tests.proxy.recording import is_alive, is_settled, run, until

from mcpr.events import RequestEvent
from mcpr.proxy.recorder import Recorder, RecorderSettings
from mcpr.sinks import Counts


def settings(path: Path) -> RecorderSettings:
    """The shipped companion, and the store only."""
    return RecorderSettings((("sqlite", str(path)),))


def rows(path: Path) -> list[bytes]:
    """The ids in a store that is whole."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        shown = connection.execute("SELECT id FROM requests ORDER BY seq")
        return [UUID(row).bytes for (row,) in shown]
    finally:
        connection.close()


def test_every_event_is_a_row_in_the_order_of_publishing(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = Recorder(settings(tmp_path / "store.db"))
        await recorder.start()
        events = many(2000)
        for event in events:
            recorder.publish(event)
        assert await recorder.drain(20.0) == Counts(2000, 2000, 0, 0)
        assert rows(tmp_path / "store.db") == [event.id for event in events]

    run(scene())


def test_killed_companions_leave_no_torn_row_and_no_lie_in_the_books(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = Recorder(settings(tmp_path / "store.db"))
        await recorder.start()
        published: list[RequestEvent] = []
        for _ in range(3):
            batch = many(4000)
            published += batch
            await publish_and_kill(recorder, batch)
            await until(lambda: recorder._link is not None and is_settled(recorder.counts()))
        counts = await recorder.drain(20.0)
        stored = rows(tmp_path / "store.db")
        assert len(set(stored)) == len(stored)
        assert set(stored) <= {event.id for event in published}
        assert counts.published == len(published) == counts.written + counts.dropped
        assert counts.written <= len(stored)

    run(scene())


def test_a_store_that_is_gone_for_a_moment_costs_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        folder = tmp_path / "folder"
        recorder = Recorder(settings(folder / "store.db"))
        await recorder.start()
        folder.rename(tmp_path / "gone")
        folder.write_text("a file where the folder was")
        events = many(1000)
        for event in events:
            recorder.publish(event)
            await asyncio.sleep(0)
        assert recorder.counts().written == 0
        folder.unlink()
        assert await recorder.drain(20.0) == Counts(1000, 1000, 0, 0)
        assert rows(folder / "store.db") == [event.id for event in events]

    run(scene())


def test_the_shipped_companion_reads_digests_with_the_pipelines_own_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def scene() -> None:
        recorder = Recorder(settings(tmp_path / "store.db"))
        await recorder.start()
        recorder.digest(b"canary")
        assert await recorder.drain(20.0) == Counts(1, 0, 0, 1)

    run(scene())
    said = capfd.readouterr().err
    assert said.startswith("mcpr: cannot digest a large body: ")
    assert said.count("\n") == 1
    assert "canary" not in said


def test_a_killed_proxys_events_are_in_the_store(tmp_path: Path) -> None:
    """kill -9 of the data-plane process: what had left it is written by the orphan."""

    async def scene() -> None:
        program = Path(__file__).with_name("proxy_program.py")
        proxy = subprocess.Popen(  # noqa: ASYNC220 - starting it may block this scene
            [sys.executable, str(program), "sqlite", str(tmp_path / "store.db"), "3000"],
            stdout=subprocess.PIPE,
            text=True,
        )
        with proxy:
            assert proxy.stdout is not None
            companion = int(proxy.stdout.readline())
            proxy.kill()
        await until(lambda: not is_alive(companion))
        assert len(rows(tmp_path / "store.db")) == 3000

    run(scene())


async def publish_and_kill(recorder: Recorder, batch: list[RequestEvent]) -> None:
    """Publish; kill the companion while the first of them are being written."""
    pid = recorder.companion_pid
    assert pid is not None
    written_before = recorder.counts().written
    for number, event in enumerate(batch):
        recorder.publish(event)
        if number % 64 == 0:
            await asyncio.sleep(0)
        if number == 3000:
            await until(lambda: recorder.counts().written > written_before)
            os.kill(pid, signal.SIGKILL)
