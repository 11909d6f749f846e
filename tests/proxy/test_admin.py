"""proxy/admin: alive, recording, and what was lost; for this machine only.

Real companions, asked over real connections.
"""

import asyncio
import http.client
import json
import os
import signal
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from tests.events.building import an_event, many
from tests.proxy.recording import PROGRAM, held, recording, run, until

from mcpr.proxy.admin_bind import admin_bind
from mcpr.proxy.frames import AdminBind
from mcpr.proxy.recorder import Recorder, RecorderSettings
from mcpr.serving import Address, bind, bound
from mcpr.sinks import Counts

FREE = AdminBind("127.0.0.1", 0, 1)
TOKEN = "a-token-of-the-tests"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


def ask(
    url: str,
    path: str,
    method: str = "GET",
    host: str | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", urlsplit(url).netloc if host is None else host)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, told, answer.read().decode())
    finally:
        connection.close()


async def started(recorder: Recorder) -> str:
    url = (await recorder.start()).admin_url
    assert url is not None
    return url


def settings(tmp_path: Path, sink: str = "lines", admin: AdminBind = FREE) -> RecorderSettings:
    return RecorderSettings(((sink, str(tmp_path / "a")),), admin=admin, command=PROGRAM)


def samples(text: str) -> dict[str, float]:
    """The samples of an exposition, by name and labels."""
    return {
        name: float(value)
        for name, _, value in (
            line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")
        )
    }


def test_the_pages_say_that_it_lives_and_records(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = Recorder(settings(tmp_path))
        url = await started(recorder)
        live = await asyncio.to_thread(ask, url, "/live")
        assert (live.status, live.body) == (200, "ok\n")
        ready = await asyncio.to_thread(ask, url, "/ready")
        assert (ready.status, json.loads(ready.body)) == (200, {"ready": True, "reasons": []})
        assert ready.headers["content-type"] == "application/json"
        await recorder.drain(5.0)

    run(scene())


def test_a_store_that_fails_makes_it_not_ready_and_says_why(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = Recorder(settings(tmp_path, "moody"))
        url = await started(recorder)
        (tmp_path / "a.bad").touch()
        recorder.publish(many(1)[0])
        await until(lambda: recorder.counts().dropped == 1)
        ready = await asyncio.to_thread(ask, url, "/ready")
        assert ready.status == 503
        assert json.loads(ready.body) == {
            "ready": False,
            "reasons": ["moody: cannot write the lines: the mood is bad. Wait."],
        }
        (tmp_path / "a.bad").unlink()
        recorder.publish(many(1)[0])
        await until(lambda: recorder.counts().written == 1)
        assert (await asyncio.to_thread(ask, url, "/ready")).status == 200
        await recorder.drain(5.0)

    run(scene())


def test_the_metrics_close_their_books_over_dead_companions_and_a_full_pipe(
    tmp_path: Path,
) -> None:
    """Published = written + rejected + dropped, per sink, at /metrics."""

    async def scene() -> None:
        recorder = Recorder(settings(tmp_path))
        url = await started(recorder)
        pid = recorder.companion_pid
        assert pid is not None
        for event in many(600):
            recorder.publish(event)
        await until(lambda: recorder.counts().written == 600)
        os.kill(pid, signal.SIGKILL)
        await until(lambda: recorder.companion_pid not in (None, pid))
        await until(lambda: recorder._link is not None)
        # A text that no pipe has room for.
        recorder.publish(an_event(server="x" * recorder._pipe_bytes))
        recorder._flush()
        for event in many(5):
            recorder.publish(event)
        await until(lambda: recorder.counts() == Counts(606, 605, 0, 1))
        answer = await asyncio.to_thread(ask, url, "/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        values = samples(answer.body)
        assert values['mcpr_events_published_total{sink="lines"}'] == 606
        assert values['mcpr_events_written_total{sink="lines"}'] == 605
        assert values['mcpr_events_rejected_total{sink="lines"}'] == 0
        assert values['mcpr_events_dropped_total{reason="pipe_full",sink="lines"}'] == 1
        assert values['mcpr_events_under_way{sink="lines"}'] == 0
        assert values["mcpr_companion_restarts_total"] == 1
        assert values['mcpr_process_cpu_seconds_total{process="companion"}'] > 0
        await recorder.drain(5.0)

    run(scene())


def test_the_next_companion_has_its_pages_at_the_same_address(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = Recorder(settings(tmp_path))
        url = await started(recorder)
        pid = recorder.companion_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: recorder._link is None)
        await until(lambda: recorder._link is not None)
        assert (await asyncio.to_thread(ask, url, "/live")).status == 200
        await recorder.drain(5.0)

    run(scene())


def test_when_the_default_port_is_taken_it_is_the_next_free_one(tmp_path: Path) -> None:
    async def scene() -> None:
        with bind(Address("127.0.0.1", 0)) as taken:
            port = bound(taken).port
            recorder = Recorder(settings(tmp_path, admin=AdminBind("127.0.0.1", port, 100)))
            assert urlsplit(await started(recorder)).port != port
            await recorder.drain(5.0)

    run(scene())


def test_pages_are_answered_while_a_sink_is_stuck_and_while_draining(tmp_path: Path) -> None:
    async def scene() -> None:
        with held(tmp_path / "a"):
            recorder = Recorder(settings(tmp_path, "gate"))
            url = await started(recorder)
            for event in many(10):
                recorder.publish(event)
            assert (await asyncio.to_thread(ask, url, "/ready")).status == 200
            draining = asyncio.get_running_loop().create_task(recorder.drain(2.0))
            answer = await asyncio.to_thread(ask, url, "/ready")
            while answer.status == 200:
                answer = await asyncio.to_thread(ask, url, "/ready")
            assert "the proxy is ending" in answer.body
            await draining

    run(scene())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/live/", 404),
        ("GET", "/docs", 404),
        ("GET", "//evil.example/", 404),
        ("POST", "/live", 405),
        ("HEAD", "/live", 200),
    ],
)
def test_there_is_nothing_else(method: str, path: str, status: int, tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = Recorder(settings(tmp_path))
        answer = await asyncio.to_thread(ask, await started(recorder), path, method)
        assert answer.status == status
        assert "server" not in answer.headers
        allowed = {"GET", "HEAD"} if status == 405 else {""}
        assert set(answer.headers.get("allow", "").split(", ")) == allowed
        assert method != "HEAD" or (answer.body, answer.headers["content-length"]) == ("", "3")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        await recorder.drain(5.0)

    run(scene())


def test_a_page_of_another_name_gets_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """DNS rebinding: the browser's Host tells whose page is asking. And no line tells who asked."""

    async def scene() -> None:
        recorder = Recorder(settings(tmp_path))
        url = await started(recorder)
        for host in ("evil.example", "evil.example:9901", "127.0.0.1.evil.example", ""):
            answer = await asyncio.to_thread(ask, url, "/metrics", host=host)
            assert answer.status == 403
            assert "mcpr_" not in answer.body
            assert answer.headers["x-content-type-options"] == "nosniff"
        await recorder.drain(5.0)

    run(scene())
    assert capfd.readouterr().err == ""


def test_without_the_token_ready_names_the_sink_and_not_what_it_says(tmp_path: Path) -> None:
    bind = admin_bind("127.0.0.1:0", TOKEN)
    assert bind is not None

    async def scene() -> None:
        recorder = Recorder(settings(tmp_path, "moody", admin=bind))
        url = await started(recorder)
        (tmp_path / "a.bad").touch()
        recorder.publish(many(1)[0])
        await until(lambda: recorder.counts().dropped == 1)
        answer = await asyncio.to_thread(ask, url, "/ready")
        assert (answer.status, json.loads(answer.body)["reasons"]) == (503, ["moody takes nothing"])
        right = {"Authorization": f"Bearer {TOKEN}"}
        answer = await asyncio.to_thread(ask, url, "/ready", headers=right)
        assert answer.status == 503
        assert "the mood is bad" in answer.body
        await recorder.drain(5.0)

    run(scene())


def test_what_needs_the_token_is_only_told_to_who_has_it(tmp_path: Path) -> None:
    bind = admin_bind("127.0.0.1:0", TOKEN)
    assert bind is not None
    right, wrong = {"Authorization": f"Bearer {TOKEN}"}, {"Authorization": "Bearer no"}

    async def scene() -> None:
        recorder = Recorder(settings(tmp_path, admin=bind))
        recorder.configure("port = 1")
        url = await started(recorder)
        for path in ("/live", "/ready"):
            assert (await asyncio.to_thread(ask, url, path)).status == 200
        for path in ("/metrics", "/config", "/nothing"):
            for headers in ({}, wrong):
                answer = await asyncio.to_thread(ask, url, path, headers=headers)
                assert answer.status == 401
                assert answer.headers["www-authenticate"] == 'Bearer realm="mcpr"'
                assert "port" not in answer.body
        answer = await asyncio.to_thread(ask, url, "/config", headers=right)
        assert (answer.status, answer.body.splitlines()[-1]) == (200, "port = 1")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        pid = recorder.companion_pid
        assert pid is not None
        recorder.configure("port = 2")
        answer = await asyncio.to_thread(ask, url, "/config", headers=right)
        assert answer.body.endswith("port = 2")
        os.kill(pid, signal.SIGKILL)
        await until(lambda: recorder._link is None)
        await until(lambda: recorder._link is not None)
        assert (await asyncio.to_thread(ask, url, "/config")).status == 401
        answer = await asyncio.to_thread(ask, url, "/config", headers=right)
        assert answer.body.endswith("port = 2")
        await recorder.drain(5.0)

    run(scene())


def test_without_admin_there_is_no_address(tmp_path: Path) -> None:
    async def scene() -> None:
        async with recording(("lines", tmp_path / "a")) as recorder:
            assert (await recorder.drain(5.0)).published == 0
        silent = Recorder(RecorderSettings((("lines", str(tmp_path / "b")),), command=PROGRAM))
        assert (await silent.start()).admin_url is None
        await silent.drain(5.0)

    run(scene())
