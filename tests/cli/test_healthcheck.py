"""cli/healthcheck: 0 for a proxy that is ready, 1 for any other, and the reason."""

import socket
from pathlib import Path

import pytest
from tests.calling.test_asking import answering
from tests.cli.asking import ask

from mcpr.cli import healthcheck as command
from mcpr.errors import Exit


def test_a_proxy_that_cannot_record_is_not_and_the_reason_is_told() -> None:
    reason = b'{"ready": false, "reasons": ["sqlite: the disk is full", "the proxy is ending"]}'
    with answering(b"HTTP/1.1 503 Service Unavailable\r\n\r\n" + reason) as port:
        code, out, err = ask("healthcheck", "--admin", port, "--timeout", "30s")
    assert (code, out) == (Exit.FAILED, "")
    assert "alive but not ready: sqlite: the disk is full; the proxy is ending." in err


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"reasons": 3}', b"\xff"])
def test_another_answer_is_not_healthy_whatever_it_says(body: bytes) -> None:
    with answering(b"HTTP/1.1 403 Forbidden\r\n\r\n" + body) as port:
        code, _, err = ask("healthcheck", "--admin", port, "--timeout", "30s")
    assert code == Exit.FAILED
    assert "it answers with 403" in err


def test_nobody_there_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    code, _, err = ask("healthcheck", "--admin", port)
    assert code == Exit.FAILED
    assert "connection refused" in err


def test_the_address_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\n", host="127.0.0.1") as port:
        # Who listens on all addresses is asked on the loopback.
        monkeypatch.setenv("MCPR_ADMIN_LISTEN", f"0.0.0.0:{port}")
        assert ask("healthcheck", "--timeout", "30s") == (Exit.OK, "ready\n", "")


@pytest.mark.parametrize("named_by", ["argument", "variable", "folder"])
def test_the_address_is_taken_from_the_settings(
    named_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mcpr.toml"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MCPR_CONFIG", str(file) if named_by == "variable" else "")
    arguments = (str(file),) if named_by == "argument" else ()
    with answering(b"HTTP/1.1 200 OK\r\n\r\n") as port:
        file.write_text(f'mcp = "http://a/mcp"\n[admin]\nlisten = "127.0.0.1:{port}"\n')
        answer = ask("healthcheck", "--timeout", "30s", *arguments)
    assert answer == (Exit.OK, "ready\n", "")


def test_a_file_that_the_environment_names_need_not_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the image it is named always; `mcpr run URL` reads none."""
    missing = str(tmp_path / "mcpr.toml")
    monkeypatch.setenv("MCPR_CONFIG", missing)
    with answering(b"HTTP/1.1 200 OK\r\n\r\n") as port:
        monkeypatch.setattr(command, "DEFAULT_ADMIN", str(port))
        assert ask("healthcheck", "--timeout", "30s").code == Exit.OK
    assert ask("healthcheck", missing).code == Exit.USAGE


@pytest.mark.parametrize(
    "arguments",
    [("--admin", "off"), ("--admin", "localhost:x"), ("--timeout", "0s"), ("--timeout", "soon")],
    ids=" ".join,
)
def test_what_cannot_be_asked_is_a_wrong_command(arguments: tuple[str, ...]) -> None:
    assert ask("healthcheck", *arguments).code == Exit.USAGE
