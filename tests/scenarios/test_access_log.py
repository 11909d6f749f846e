"""The access log of a real proxy: a line for each exchange, through rotation, faults and stdout."""

import asyncio
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from tests.dataplane.building import get, post
from tests.dataplane.caller import calling
from tests.dataplane.scene import run, until
from tests.scenarios.load import call_of
from tests.scenarios.processes import (
    WAIT_SECONDS,
    a_proxy,
    an_upstream,
    children,
    command,
    is_alive,
    rows,
    wait_until,
)
from tests.scenarios.test_metrics import admin_port, ask, scrape, total


def lines(*paths: Path) -> list[dict[str, object]]:
    """The lines of these files; a torn one is none, and an error."""
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def test_no_line_is_lost_or_torn_by_rotation_under_load(tmp_path: Path) -> None:
    store, log = tmp_path / "store.db", tmp_path / "access.log"
    old = [tmp_path / f"access.log.{number}" for number in range(4)]
    with (
        an_upstream(tmp_path) as upstream,
        a_proxy(
            f"http://127.0.0.1:{upstream.port}/mcp",
            store,
            environment={"MCPR_LOG_ACCESS": str(log)},
        ) as proxy,
    ):
        (companion,) = children(proxy.pid)
        answered = 0

        async def load(name: str) -> None:
            nonlocal answered
            async with calling(proxy.port) as caller:
                for number in range(150):
                    assert (await caller.call(call_of(f"{name}-{number}"))).status == 200
                    answered += 1

        async def scene() -> None:
            async with asyncio.TaskGroup() as clients:
                for number in range(4):
                    clients.create_task(load(f"quick-{number}"))
                for turn, moved in enumerate(old):
                    due = 100 * (turn + 1)
                    await until(lambda: answered >= due)  # noqa: B023 - awaited here
                    log.rename(moved)
                    proxy.send(signal.SIGUSR1)
                    # As `systemctl kill` does it: to every process of the unit.
                    os.kill(companion, signal.SIGUSR1)
                    await until(log.exists)

        run(scene())
        assert is_alive(companion)
        ended = proxy.stop()
    assert ended.counts == (600, 600, 0, 0)
    written = lines(*old, log)
    assert sorted(str(line["id"]) for line in written) == sorted(row.id for row in rows(store))


def test_one_line_for_each_exchange_whatever_it_carries(tmp_path: Path) -> None:
    store, log = tmp_path / "store.db", tmp_path / "access.log"
    with (
        an_upstream(tmp_path) as upstream,
        a_proxy(
            f"http://127.0.0.1:{upstream.port}/mcp",
            store,
            environment={"MCPR_LOG_ACCESS": str(log)},
        ) as proxy,
    ):

        async def scene() -> None:
            async with calling(proxy.port) as caller:
                await caller.call(call_of('quick\\"\\u0009 tool'))
                # The server of the tests reads neither, and closes the connection.
                assert (await caller.call(post(b"no JSON at all"))).status == 502
                batch = b'[{"id":1,"method":"ping"},{"id":2,"method":"tools/list"}]'
                assert (await caller.call(post(batch))).status == 502
                assert (await caller.call(get(b"Host: evil.example"))).status == 400
                proxy.send(signal.SIGTERM)

        run(scene())
        assert proxy.wait().code == 0
    said = [(line["kind"], line.get("method"), line["rpcs"]) for line in lines(log)]
    # In the order of their records: common calls are read together, a little later.
    assert sorted(said, key=str) == [
        ("http", None, 0),
        ("http", None, 0),
        ("rpc", "_batch", 2),
        ("rpc", "tools/call", 1),
    ]
    recorded = rows(store)
    assert len(recorded) == 5
    for field in ("bytes_in", "bytes_out"):
        assert sum(int(str(line[field])) for line in lines(log)) == sum(
            getattr(row, field) for row in recorded
        )


def test_on_stdout_the_lines_follow_the_greeting(tmp_path: Path) -> None:
    with an_upstream(tmp_path) as upstream:
        words = command(f"http://127.0.0.1:{upstream.port}/mcp", tmp_path / "store.db")
        program = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "MCPR_LOG_ACCESS": "-", "MCPR_LOG_ACCESS_FORM": "text"},
        )
        try:
            assert program.stdout is not None
            greeting = [program.stdout.readline()]
            while b"proxy" not in greeting[-1]:
                greeting.append(program.stdout.readline())
            port = int(greeting[-1].split(b"127.0.0.1:")[1].split(b"/")[0])

            async def scene() -> None:
                async with calling(port) as caller:
                    assert (await caller.call(call_of("quick"))).status == 200

            run(scene())
            program.send_signal(signal.SIGTERM)
            said, _ = program.communicate(timeout=WAIT_SECONDS)
        finally:
            program.kill()
            program.wait()
    (line,) = [line for line in said.decode().splitlines() if " rpc " in line]
    assert line.split()[4:10] == ["tools/call", "quick", "1", "200", "ok", "-"]


def test_a_full_disk_ends_no_call_and_is_counted(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with (
        an_upstream(tmp_path) as upstream,
        a_proxy(
            f"http://127.0.0.1:{upstream.port}/mcp",
            store,
            "--admin",
            "127.0.0.1:0",
            environment={"MCPR_LOG_ACCESS": "/dev/full"},
        ) as proxy,
    ):

        async def scene() -> None:
            async with calling(proxy.port) as caller:
                for _ in range(20):
                    assert (await caller.call(call_of("quick"))).status == 200

        run(scene())
        wait_until(lambda: ask(admin_port(proxy), "/ready")[0] == 503)
        assert "No space left on device" in ask(admin_port(proxy), "/ready")[1]
        wait_until(lambda: total(scrape(admin_port(proxy)), "mcpr_events_written_total") >= 40)
        ended = proxy.stop()
    assert ended.counts == (20, 20, 0, 0)
    assert len(rows(store)) == 20


@pytest.mark.parametrize("place", ["/nowhere/at/all/access.log", "/"])
def test_a_log_that_cannot_be_opened_is_said_before_anything_else(
    tmp_path: Path, place: str
) -> None:
    ended = subprocess.run(
        command("http://127.0.0.1:9/mcp", tmp_path / "store.db"),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
        env={**os.environ, "MCPR_LOG_ACCESS": place},
    )
    assert ended.returncode == 1
    assert f"cannot open the access log {place}" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_without_an_access_log_the_signal_does_nothing(tmp_path: Path) -> None:
    with a_proxy("http://127.0.0.1:9/mcp", tmp_path / "store.db") as proxy:
        proxy.send(signal.SIGUSR1)
        assert proxy.stop().code == 0
