"""console/pool: few threads, a bounded queue, a deadline; what is given up is broken off."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.store.building import a_store

from mcpr.console.pool import Busy, Pool
from mcpr.store import EventStore, Filter
from mcpr.store.sqlite import SqliteEventStore


def opener(tmp_path: Path) -> Callable[[], EventStore]:
    path = a_store(tmp_path / "s.db")
    return lambda: SqliteEventStore(path)


def test_more_questions_than_may_wait_are_sent_away(tmp_path: Path) -> None:
    held = threading.Event()

    async def scene() -> None:
        pool = Pool(opener(tmp_path), threads=1, waiting=1, seconds=60)
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(pool.ask(lambda _: held.wait(60)))
            second = tasks.create_task(pool.ask(lambda store: store.last_seq()))
            await asyncio.sleep(0)
            with pytest.raises(Busy):
                await pool.ask(lambda store: store.last_seq())
            held.set()
        assert (first.result(), second.result()) == (True, 0)
        assert await pool.ask(lambda store: store.last_seq()) == 0
        pool.close()

    asyncio.run(scene())


def test_a_question_that_takes_too_long_is_broken_off(tmp_path: Path) -> None:
    """SQLite itself is told to stop: the thread is free for the next one."""

    def endless(store: EventStore) -> int:
        while True:
            store.requests(Filter(), 1)
            endless_sql(store)

    def endless_sql(store: EventStore) -> None:
        assert isinstance(store, SqliteEventStore)
        store._rows(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        )

    async def scene() -> None:
        pool = Pool(opener(tmp_path), threads=1, waiting=4, seconds=0.5)
        with pytest.raises(Busy):
            await pool.ask(endless)
        patient = Pool(opener(tmp_path), threads=1, waiting=4, seconds=60)
        assert await patient.ask(lambda store: store.last_seq()) == 0
        async with asyncio.timeout(60):
            while pool._under_way:
                await asyncio.to_thread(threading.Event().wait, 0.01)
        assert await pool.ask(lambda store: store.last_seq()) == 0
        pool.close()
        patient.close()

    asyncio.run(scene())


def test_what_a_question_raises_reaches_who_asked(tmp_path: Path) -> None:
    def wrong(_: EventStore) -> None:
        raise ValueError("mine")

    async def scene() -> None:
        pool = Pool(opener(tmp_path))
        with pytest.raises(ValueError, match="mine"):
            await pool.ask(wrong)
        pool.close()

    asyncio.run(scene())
