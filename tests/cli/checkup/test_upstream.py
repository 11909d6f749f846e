"""cli/checkup/upstream: what answers at a URL is told in words, and nothing is left there."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from mcpr.cli.checkup.finding import Finding
from mcpr.cli.checkup.upstream import upstream
from mcpr.proxy.privacy_proof.echo import Echo, answer, error, events, result
from mcpr.settings import UpstreamUrl


@contextmanager
def a_server(script: bytes) -> Iterator[Echo]:
    with closing(Echo()) as echo:
        echo.script = script
        yield echo


def looked(port: int, scheme: str = "http", host: str = "127.0.0.1") -> list[Finding]:
    assert scheme in {"http", "https"}
    return list(upstream(UpstreamUrl("https" if scheme == "https" else "http", host, port, "/mcp")))


ANSWERS = {
    "a result": (answer(result({}, 1)), "ok", "is an MCP endpoint"),
    "an event stream": (events(result({}, 1)), "ok", "is an MCP endpoint"),
    "an unknown session": (
        answer(error("Session not found", None, -32001, 1), status="404 Not Found"),
        "ok",
        "is an MCP endpoint",
    ),
    "an unknown session in words": (
        answer(b"Session not found", status="404 Not Found", kind="text/plain"),
        "ok",
        "keeps sessions",
    ),
    "a sign-in": (answer(b"", status="401 Unauthorized"), "ok", "sign in first"),
    "nothing": (answer(b"not here", status="404 Not Found"), "fail", "nothing at /mcp"),
    "an old transport": (answer(b"", status="405 No"), "warn", "takes no POST"),
    "a redirect": (answer(b"", status="307 There"), "warn", "is elsewhere"),
    "a web page": (answer(b"<html>", kind="text/html"), "warn", "200 with text/html"),
    "TLS wanted": (
        answer(b"sent to HTTPS port", status="400 Bad Request", kind="text/html"),
        "fail",
        "wants TLS",
    ),
    "no HTTP": (b"SSH-2.0-OpenSSH\r\n\r\n", "fail", "does not speak HTTP"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_answers_is_told(name: str) -> None:
    script, state, words = ANSWERS[name]
    with a_server(script) as echo:
        reached, endpoint = looked(echo.port)
    assert (reached.state, endpoint.check, endpoint.state) == ("ok", "endpoint", state)
    assert words in endpoint.why
    assert bool(endpoint.next_step) is (state != "ok")


def test_it_asks_once_by_a_ping_that_begins_no_session() -> None:
    with a_server(answer(result({}, 1))) as echo:
        looked(echo.port)
    heard = bytes(echo.heard)
    assert heard.count(b"POST /mcp HTTP/1.1") == 1
    assert b'"method": "ping"' in heard
    assert b"initialize" not in heard
    assert b"Mcp-Session-Id: mcpr-doctor-asks" in heard


def test_where_nobody_listens_it_says_so() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    [found] = looked(port)
    assert (found.state, found.why) == ("fail", f"127.0.0.1:{port}: connection refused")


def test_a_name_that_nobody_has_is_told() -> None:
    [found] = looked(1, host="no-such-machine.invalid")
    assert found.state == "fail"
    assert "no machine is called no-such-machine.invalid" in found.why


def test_clear_text_where_tls_is_expected_is_told() -> None:
    with a_server(answer(b"")) as echo:
        _, found = looked(echo.port, "https")
    assert (found.check, found.state) == ("TLS", "fail")
    assert "write http://" in found.next_step


def test_the_reason_of_a_bad_certificate_is_told() -> None:
    error_of_tls = ssl.SSLCertVerificationError("x")
    error_of_tls.verify_message = "self-signed certificate"
    from mcpr.cli.checkup.upstream import _no_tls  # noqa: PLC0415 - only this one looks inside

    assert "self-signed certificate" in _no_tls(error_of_tls).why
