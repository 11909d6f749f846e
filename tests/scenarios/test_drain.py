"""SIGTERM and SIGINT: what was begun is finished, and the books are right."""

import signal
import socket
from pathlib import Path

import pytest
from tests.dataplane.building import get
from tests.dataplane.caller import calling
from tests.dataplane.scene import run, until
from tests.scenarios.load import Notes, call_of, loading
from tests.scenarios.processes import a_proxy, an_upstream, assert_sound, rows
from tests.scenarios.upstream_program import EVENT

#: Much less than the 30 s that a drain may take.
SOON_SECONDS = 12.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=str)
def test_under_load_every_request_is_answered_and_every_event_is_written(
    tmp_path: Path, number: signal.Signals
) -> None:
    store = tmp_path / "store.db"
    notes = Notes()
    with (
        an_upstream(tmp_path) as upstream,
        a_proxy(f"http://127.0.0.1:{upstream.port}/mcp", store) as proxy,
    ):

        async def scene() -> None:
            async with (
                loading(proxy.port, "quick", 8, notes),
                loading(proxy.port, "slow", 4, notes),
            ):
                await until(lambda: len(notes.answered) > 300)
                proxy.send(number)

        run(scene())
        with pytest.raises(ConnectionError), socket.socket() as late:
            late.connect(("127.0.0.1", proxy.port))
        ended = proxy.wait(SOON_SECONDS)
    # The clients ended because they were told so, each with its last answer.
    assert notes.cut == []
    assert notes.sent.keys() == notes.answered.keys()
    assert ended.code == 0, ended.stderr
    assert ended.counts == (len(notes.answered), len(notes.answered), 0, 0)
    assert "cut" not in ended.stderr
    assert {row.tool for row in rows(store)} == notes.answered.keys()
    assert len(rows(store)) == len(notes.answered)
    assert_sound(store)


def test_an_open_stream_is_ended_properly_and_soon(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with (
        an_upstream(tmp_path) as upstream,
        a_proxy(f"http://127.0.0.1:{upstream.port}/mcp", store) as proxy,
    ):

        async def scene() -> None:
            async with calling(proxy.port) as caller:
                await caller.send(get(b"Accept: text/event-stream"))
                await caller.reader.readuntil(EVENT)
                proxy.send(signal.SIGTERM)
                assert await caller.rest() == b"\r\n0\r\n\r\n"

        run(scene())
        ended = proxy.wait(SOON_SECONDS)
    assert (ended.code, ended.counts) == (0, (1, 1, 0, 0))
    (row,) = rows(store)
    assert (row.kind, row.outcome, row.http_status) == ("stream", "ok", 200)
    assert row.bytes_out == len(EVENT)


def test_a_second_signal_hurries_the_drain(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with (
        an_upstream(tmp_path) as upstream,
        a_proxy(f"http://127.0.0.1:{upstream.port}/mcp", store) as proxy,
    ):

        async def scene() -> None:
            async with calling(proxy.port) as waiting, calling(proxy.port) as idle:
                await idle.call(call_of("quick"))
                await waiting.send(call_of("hold"))
                proxy.send(signal.SIGINT)
                # The idle connection goes; the one whose answer is due stays.
                assert await idle.rest() == b""
                assert proxy.process.poll() is None
                proxy.send(signal.SIGINT)
                assert await waiting.rest() == b""

        run(scene())
        ended = proxy.wait(SOON_SECONDS)
    assert (ended.code, ended.counts) == (0, (2, 2, 0, 0))
    assert "1 exchange" in ended.stderr
    assert {row.tool for row in rows(store)} == {"quick", "hold"}


def test_without_any_call_it_ends_at_once_and_says_so(tmp_path: Path) -> None:
    with a_proxy("http://127.0.0.1:9/mcp", tmp_path / "store.db") as proxy:
        ended = proxy.stop(signal.SIGTERM)
    assert (ended.code, ended.counts) == (0, (0, 0, 0, 0))


def test_two_proxies_share_a_store_and_each_counts_its_own(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    notes, others = Notes(), Notes()
    with (
        an_upstream(tmp_path) as upstream,
        a_proxy(f"http://127.0.0.1:{upstream.port}/mcp", store) as one,
        a_proxy(f"http://127.0.0.1:{upstream.port}/mcp", store, "--name", "other") as other,
    ):

        async def scene() -> None:
            async with (
                loading(one.port, "one", 4, notes),
                loading(other.port, "other", 4, others),
            ):
                await until(lambda: min(len(notes.answered), len(others.answered)) > 300)
                one.send(signal.SIGTERM)
                other.send(signal.SIGTERM)

        run(scene())
        for proxy, these in ((one, notes), (other, others)):
            ended = proxy.wait(SOON_SECONDS)
            assert (ended.code, ended.counts) == (
                0,
                (len(these.answered), len(these.answered), 0, 0),
            )
    recorded = [row.tool for row in rows(store)]
    assert sorted(filter(None, recorded)) == sorted([*notes.answered, *others.answered])
    assert_sound(store)
