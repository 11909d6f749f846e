"""proxy/admin_login: the token once, then a cookie that is no token, expires, and can be ended."""

import asyncio
import hashlib
import http.client
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.proxy.recording import PROGRAM, run
from tests.proxy.test_admin import TOKEN, ask, started

from mcpr.proxy import admin_login
from mcpr.proxy.admin_bind import admin_bind
from mcpr.proxy.admin_login import KEPT_SECONDS, has_ticket, is_good, ticket
from mcpr.proxy.recorder import Recorder, RecorderSettings

HASH = hashlib.sha256(TOKEN.encode()).digest()
OTHER = hashlib.sha256(b"another token").digest()


def test_a_ticket_is_good_for_a_week_and_for_one_token() -> None:
    text = ticket(HASH, 1_000)
    assert is_good(HASH, text, 1_000 + KEPT_SECONDS - 1)
    assert not is_good(HASH, text, 1_000 + KEPT_SECONDS)
    assert not is_good(OTHER, text, 1_000)
    assert TOKEN not in text
    assert HASH.hex() not in text


@given(st.text(max_size=80))
def test_nothing_else_is_a_ticket(text: str) -> None:
    assert not is_good(HASH, text, 0)
    sent = text.encode("utf-8", "replace")
    assert not has_ticket(HASH, [(b"host", b"localhost:9901"), (b"cookie", sent)], 0)


def test_a_ticket_with_a_later_expiry_is_none() -> None:
    expiry, _, sign = ticket(HASH, 1_000).partition(".")
    assert not is_good(HASH, f"{int(expiry) + 1}.{sign}", 1_000)


def post(url: str, token: str, back: str, origin: str | None = None) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin or url}
        connection.request("POST", f"/login?next={quote(back, safe='')}", f"token={token}", headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("back", "goes_to"),
    [
        ("/tools?since=7d", "/tools?since=7d"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/a\r\nSet-Cookie: b", "/"),
    ],
)
def test_a_browser_is_asked_once_and_led_back_within(
    back: str, goes_to: str, tmp_path: Path
) -> None:
    async def scene() -> None:
        bind = admin_bind("127.0.0.1:0", TOKEN)
        recorder = Recorder(
            RecorderSettings((("sqlite", str(tmp_path / "s.db")),), admin=bind, command=PROGRAM)
        )
        url = await started(recorder)
        page = {"Accept": "text/html,application/xhtml+xml"}
        away = await asyncio.to_thread(ask, url, "/tools?since=7d", "GET", None, page)
        assert away.status == 303
        assert away.headers["location"] == "/login?next=%2Ftools%3Fsince%3D7d"
        asked = await asyncio.to_thread(ask, url, "/login", "GET", None, page)
        assert "[admin] token" in asked.body
        assert (await asyncio.to_thread(ask, url, "/static/console.css")).status == 200
        status, headers = await asyncio.to_thread(post, url, "wrong-wrong-wrong-wrong", back)
        assert (status, "set-cookie" in headers) == (401, False)
        foreign = await asyncio.to_thread(post, url, TOKEN, back, "https://evil.example")
        assert foreign[0] == 403
        status, headers = await asyncio.to_thread(post, url, TOKEN, back)
        assert (status, headers["location"]) == (303, goes_to)
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        known = {**page, "Cookie": cookie.partition(";")[0]}
        for path in ("/", "/api/v1/tools", "/metrics"):
            assert (await asyncio.to_thread(ask, url, path, "GET", None, known)).status == 200
        await recorder.drain(5.0)

    run(scene())


def test_each_port_has_a_cookie_of_its_own() -> None:
    names = {admin_login.cookie_name(host) for host in ("localhost:1", "localhost:2", "localhost")}
    assert len(names) == 3
