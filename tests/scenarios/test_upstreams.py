"""Upstreams that are not there, go away, speak TLS, or are listened to slowly."""

import contextlib
import json
import subprocess
from pathlib import Path

import pytest
from tests.dataplane.building import get
from tests.dataplane.caller import Caller, calling
from tests.dataplane.fake_upstream import closed_port
from tests.dataplane.messages import Message
from tests.dataplane.scene import run, until
from tests.scenarios.load import call_of
from tests.scenarios.processes import WAIT_SECONDS, a_proxy, an_upstream, rows
from tests.scenarios.upstream_program import LARGE_BYTES, PIECE

MIB = 1024 * 1024
READERS = 100
CALLS = 200
#: For each slow reader: two write buffers with what one read adds to them, and some more.
MOST_BYTES_A_READER = 1 * MIB


def ask(port: int, asks: bytes) -> Message:
    """One request on a connection of its own."""
    got: list[Message] = []

    async def scene() -> None:
        async with calling(port) as caller:
            got.append(await caller.call(asks))

    run(scene())
    return got[0]


def test_an_upstream_that_refuses_is_told_as_unreachable_and_found_when_it_comes(
    tmp_path: Path,
) -> None:
    store = tmp_path / "store.db"
    with an_upstream(tmp_path) as upstream:
        port = upstream.port
        with a_proxy(f"http://127.0.0.1:{port}/mcp", store) as proxy:
            assert ask(proxy.port, call_of("before")).status == 200
            upstream.kill()
            got = ask(proxy.port, call_of("meanwhile"))
            assert (got.status, got.value(b"mcpr-error")) == (502, b"unreachable")
            assert json.loads(got.body)["id"] == 1
            assert proxy.stop().counts == (2, 2, 0, 0)
    # Calls that went well are written together, a moment later: the order of these two is open.
    before, during = sorted(rows(store), key=lambda row: row.outcome)
    assert (before.tool, before.outcome) == ("before", "ok")
    assert during.tool == "meanwhile"
    assert (during.outcome, during.origin) == ("unreachable", "connect")
    assert (during.http_status, during.upstream_us) == (502, None)


def test_an_upstream_that_was_never_there_does_not_keep_the_proxy_from_starting(
    tmp_path: Path,
) -> None:
    store = tmp_path / "store.db"
    with a_proxy(f"http://127.0.0.1:{closed_port()}/mcp", store) as proxy:
        for _ in range(3):
            assert ask(proxy.port, call_of("nobody")).status == 502
        assert proxy.stop().counts == (3, 3, 0, 0)
    assert {row.outcome for row in rows(store)} == {"unreachable"}


def test_an_upstream_that_dies_in_mid_body_leaves_an_unfinished_answer_and_says_broken(
    tmp_path: Path,
) -> None:
    store = tmp_path / "store.db"
    with (
        an_upstream(tmp_path) as upstream,
        a_proxy(f"http://127.0.0.1:{upstream.port}/mcp", store) as proxy,
    ):
        got = ask(proxy.port, call_of("cut"))
        assert (got.status, got.is_whole) == (200, False)

        async def scene() -> None:
            async with calling(proxy.port) as caller:
                await caller.send(call_of("hold"))
                await until(lambda: rows(store)[-1:] != [])
                upstream.kill()
                assert (await caller.answer()).value(b"mcpr-error") == b"cut"

        run(scene())
        assert proxy.stop().counts == (2, 2, 0, 0)
    cut, held = rows(store)
    assert (cut.tool, cut.outcome, cut.origin, cut.http_status) == (
        "cut",
        "broken",
        "transport",
        200,
    )
    assert (held.tool, held.outcome, held.origin, held.http_status) == (
        "hold",
        "broken",
        "transport",
        502,
    )


def test_a_hundred_slow_readers_hold_up_nobody_and_fill_no_memory(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with (
        an_upstream(tmp_path) as upstream,
        a_proxy(f"http://127.0.0.1:{upstream.port}/mcp", store) as proxy,
    ):
        calm = proxy.resident_bytes

        async def scene() -> None:
            async with contextlib.AsyncExitStack() as stack, calling(proxy.port) as other:
                slow: list[Caller] = []
                for _ in range(READERS):
                    connecting = calling(proxy.port, limit=4096, receive_bytes=4096)
                    slow.append(await stack.enter_async_context(connecting))
                    await slow[-1].send(get(target=b"/large"))
                for caller in slow:
                    await caller.reader.readuntil(b"\r\n\r\n")
                for number in range(CALLS):
                    # Each of them is answered while a hundred wait, or this ends in a timeout.
                    assert (await other.call(call_of(f"other-{number}"))).status == 200
                assert proxy.resident_bytes - calm < READERS * MOST_BYTES_A_READER
                assert READERS * MOST_BYTES_A_READER < READERS * LARGE_BYTES / 10
                # Who reads after all gets it all.
                body = await slow[0].reader.readexactly(LARGE_BYTES)
                assert body == PIECE * (LARGE_BYTES // len(PIECE))

        run(scene())
        ended = proxy.stop()
        assert (ended.code, ended.counts[0]) == (0, READERS + CALLS)
    outcomes = [row.outcome for row in rows(store)]
    assert outcomes.count("ok") == CALLS + 1
    assert outcomes.count("client_gone") == READERS - 1


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=WAIT_SECONDS
    )


def make_certificate(folder: Path, name: str, host: str) -> tuple[Path, Path, Path]:
    """An authority of its own, and a certificate for the host: authority, certificate, key."""
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    authority = ("-keyout", f"{name}-ca.key", "-out", f"{name}-ca.pem", "-subj", f"/CN={name} CA")
    openssl(folder, "req", "-x509", *curve, *authority)
    own = ("-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={host}")
    signed = ("-CA", f"{name}-ca.pem", "-CAkey", f"{name}-ca.key")
    names = ("-addext", f"subjectAltName=DNS:{host}", "-addext", "basicConstraints=CA:FALSE")
    openssl(folder, "req", "-x509", *curve, *own, *signed, *names)
    return folder / f"{name}-ca.pem", folder / f"{name}.pem", folder / f"{name}.key"


def test_an_upstream_behind_tls_is_reached_and_its_connection_kept(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    authority, certificate, key = make_certificate(tmp_path, "good", "localhost")
    with (
        an_upstream(tmp_path, certificate, key) as upstream,
        a_proxy(
            f"https://localhost:{upstream.port}/mcp",
            store,
            environment={"SSL_CERT_FILE": str(authority)},
        ) as proxy,
    ):

        async def scene() -> None:
            async with calling(proxy.port) as caller:
                for number in range(20):
                    assert (await caller.call(call_of(f"tls-{number}"))).status == 200
                got = await caller.call(get(target=b"/large"))
                assert got.body == PIECE * (LARGE_BYTES // len(PIECE))

        run(scene())
        assert (proxy.stop().code, len(rows(store))) == (0, 21)
    assert {row.outcome for row in rows(store)} == {"ok"}


@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_an_upstream_with_a_wrong_certificate_is_not_talked_to(tmp_path: Path, wrong: str) -> None:
    store = tmp_path / "store.db"
    host = "elsewhere.example" if wrong == "name" else "localhost"
    authority, certificate, key = make_certificate(tmp_path, "one", host)
    if wrong == "authority":
        authority, _, _ = make_certificate(tmp_path, "two", host)
    with (
        an_upstream(tmp_path, certificate, key) as upstream,
        a_proxy(
            f"https://localhost:{upstream.port}/mcp",
            store,
            environment={"SSL_CERT_FILE": str(authority)},
        ) as proxy,
    ):
        got = ask(proxy.port, call_of("tls"))
        assert (got.status, got.value(b"mcpr-error")) == (502, b"unreachable")
        ended = proxy.stop()
        assert ended.counts == (1, 1, 0, 0)
        assert "Traceback" not in ended.stderr
    (row,) = rows(store)
    assert (row.outcome, row.origin) == ("unreachable", "connect")
