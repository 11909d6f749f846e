"""proxy/admin_console: the console on a real companion's admin address, guarded as the rest."""

import asyncio
import json
from pathlib import Path

from tests.events.building import many
from tests.proxy.recording import PROGRAM, run, until
from tests.proxy.test_admin import FREE, TOKEN, ask, started

from mcpr.proxy.admin_bind import admin_bind
from mcpr.proxy.recorder import Recorder, RecorderSettings


def settings(tmp_path: Path) -> RecorderSettings:
    return RecorderSettings(
        (("sqlite", str(tmp_path / "s.db")),), admin=FREE, config="port = 3000\n", command=PROGRAM
    )


def test_the_console_shows_what_was_just_recorded(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = Recorder(settings(tmp_path))
        url = await started(recorder)
        for event in many(3):
            recorder.publish(event)
        await until(lambda: recorder.counts().written == 3)
        page = await asyncio.to_thread(ask, url, "/tools?since=2020-01-01")
        assert page.status == 200
        assert "get_weather" in page.body
        assert "require-trusted-types-for" in page.headers["content-security-policy"]
        told = await asyncio.to_thread(ask, url, "/api/v1/tools?since=2020-01-01")
        assert json.loads(told.body)["rows"][0]["calls"] == 3
        assert "port = 3000" in (await asyncio.to_thread(ask, url, "/settings")).body
        assert "sqlite" in (await asyncio.to_thread(ask, url, "/servers")).body
        assert (await asyncio.to_thread(ask, url, "/live")).body == "ok\n"
        await recorder.drain(5.0)

    run(scene())


def test_a_foreign_name_or_site_gets_no_page(tmp_path: Path) -> None:
    async def scene() -> None:
        recorder = Recorder(settings(tmp_path))
        url = await started(recorder)
        for path in ("/", "/api/v1/tools", "/logs/live", "/static/console.css"):
            assert (await asyncio.to_thread(ask, url, path, "GET", "evil.example")).status == 403
            foreign = {"Origin": "https://evil.example"}
            answer = await asyncio.to_thread(ask, url, path, "GET", None, foreign)
            assert answer.status == 403
        await recorder.drain(5.0)

    run(scene())


def test_where_a_token_is_set_no_page_and_no_answer_comes_without_it(tmp_path: Path) -> None:
    async def scene() -> None:
        bind = admin_bind("127.0.0.1:0", TOKEN)
        recorder = Recorder(
            RecorderSettings((("sqlite", str(tmp_path / "s.db")),), admin=bind, command=PROGRAM)
        )
        url = await started(recorder)
        for path in ("/", "/tools", "/api/v1/tools", "/logs/live", "/settings"):
            assert (await asyncio.to_thread(ask, url, path)).status == 401
            wrong = {"Authorization": "Bearer wrong-wrong-wrong-wrong"}
            assert (await asyncio.to_thread(ask, url, path, "GET", None, wrong)).status == 401
        right = {"Authorization": f"Bearer {TOKEN}"}
        for path in ("/", "/api/v1/tools"):
            assert (await asyncio.to_thread(ask, url, path, "GET", None, right)).status == 200
        await recorder.drain(5.0)

    run(scene())
