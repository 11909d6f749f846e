"""Whatever ends the hard way leaves a store that is whole, and takes with it a moment at most."""

import contextlib
import os
import signal
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.dataplane.scene import run, until
from tests.protocol.size import IS_FULL
from tests.scenarios.load import Notes, loading, now_ms
from tests.scenarios.processes import (
    Program,
    a_proxy,
    an_upstream,
    assert_sound,
    children,
    is_alive,
    rows,
    wait_until,
)

KILLS = 10
CONNECTIONS = 4
#: How long there is load before a kill: several of the writer's batches are behind it by then.
LOAD_MS = 3_000 if IS_FULL else 600
CALLS = 300
#: An event waits for at most 20 ms with other common calls and for 20 ms in front of the pipe.
LEAVING_MS = 20 + 20
#: Then a batch is written when it is 100 ms old.
BATCH_MS = 100 + LEAVING_MS
#: What two busy cores add to that, to the write itself and to a client's own clock, in the middle
#: of ten kills and in the worst of them.
USUAL_SLACK_MS = 110
WORST_SLACK_MS = 860


def loss_ms(notes: Notes, recorded: set[str], killed_ms: float) -> float:
    """How old the oldest answered call was that is not in the store."""
    lost = [at for tool, at in notes.answered.items() if tool not in recorded]
    return killed_ms - min(lost) if lost else 0.0


def kill_under_load(proxy: Program, name: str, kill: Callable[[], None]) -> tuple[Notes, float]:
    """Load the proxy, kill it in the midst of it; what the clients saw, and when it was."""
    notes, killed_ms = Notes(), 0.0

    async def scene() -> None:
        nonlocal killed_ms
        async with loading(proxy.port, name, CONNECTIONS, notes):
            ends_ms = now_ms() + LOAD_MS
            await until(lambda: len(notes.answered) >= CALLS and now_ms() >= ends_ms)
            kill()
            killed_ms = now_ms()

    run(scene())
    return notes, killed_ms


def test_ten_kills_of_everything_leave_no_torn_row_and_lose_a_tenth_of_a_second(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """The same store each time: every start finds what the kill before has left."""
    store = tmp_path / "store.db"
    sent: dict[str, float] = {}
    answered = 0
    losses = []
    with an_upstream(tmp_path) as upstream:
        for number in range(KILLS):
            with a_proxy(f"http://127.0.0.1:{upstream.port}/mcp", store) as proxy:
                notes, killed_ms = kill_under_load(proxy, f"kill-{number}", proxy.kill)
            assert_sound(store)
            found = rows(store)
            recorded = {row.tool for row in found if row.tool is not None}
            sent.update(notes.sent)
            answered += len(notes.answered)
            losses.append(loss_ms(notes, recorded, killed_ms))
            assert recorded & notes.answered.keys()
            assert all((row.kind, row.method) == ("rpc", "tools/call") for row in found)
            assert all((row.outcome, row.http_status) == ("ok", 200) for row in found)
            assert all(row.bytes_in and row.bytes_out and row.upstream_us for row in found)
            assert all(abs(row.ts_ms - sent[row.tool or ""]) < 10_000 for row in found)
            # No row twice, and none of a call that nobody made.
            assert len(recorded) == len(found)
            assert recorded <= sent.keys()
    record_property("answered", answered)
    record_property("written", len(recorded))
    record_property("losses_ms", [round(loss) for loss in losses])
    assert statistics.median(losses) < BATCH_MS + USUAL_SLACK_MS
    assert max(losses) < BATCH_MS + WORST_SLACK_MS


def test_a_companion_that_outlives_its_proxy_writes_what_it_got_and_ends(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with (
        an_upstream(tmp_path) as upstream,
        a_proxy(f"http://127.0.0.1:{upstream.port}/mcp", store) as proxy,
    ):
        (companion,) = children(proxy.pid)
        notes, killed_ms = kill_under_load(
            proxy, "orphan", lambda: os.kill(proxy.pid, signal.SIGKILL)
        )
        wait_until(lambda: not is_alive(companion))
    assert_sound(store)
    recorded = {row.tool for row in rows(store) if row.tool is not None}
    assert recorded & notes.answered.keys()
    assert loss_ms(notes, recorded, killed_ms) < LEAVING_MS + WORST_SLACK_MS
    assert not store.with_name("store.db-wal").exists()


def test_a_companion_that_is_killed_is_replaced_and_calls_go_on(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with (
        an_upstream(tmp_path) as upstream,
        a_proxy(f"http://127.0.0.1:{upstream.port}/mcp", store) as proxy,
    ):
        (first,) = children(proxy.pid)
        notes = Notes()

        async def scene() -> None:
            async with loading(proxy.port, "replaced", CONNECTIONS, notes):
                await until(lambda: len(notes.answered) >= CALLS)
                os.kill(first, signal.SIGKILL)
                await until(lambda: children(proxy.pid) not in ([], [first]))
                until_now = len(notes.answered)
                await until(lambda: len(notes.answered) >= until_now + CALLS)
                proxy.send(signal.SIGTERM)

        run(scene())
        ended = proxy.wait()
    assert notes.cut == []
    published, written, rejected, dropped = ended.counts
    assert published == len(notes.answered)
    assert (rejected, written + dropped) == (0, published)
    # Lost events are no success, and some that count as lost are written all the same.
    assert ended.code == (3 if dropped else 0)
    assert written <= len(rows(store)) <= published
    assert_sound(store)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=str)
def test_a_companion_ignores_what_is_meant_for_the_proxy(
    tmp_path: Path, number: signal.Signals
) -> None:
    store = tmp_path / "store.db"
    with a_proxy("http://127.0.0.1:9/mcp", store) as proxy:
        (companion,) = children(proxy.pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(companion, number)
        assert is_alive(companion)
        assert proxy.stop(number).code == 0
        assert not is_alive(companion)
