"""proxy/privacy_proof: the shipped proxy passes, a leaky one does not, a broken proof fails."""

import socket
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.proxy.privacy_proof import leaky_program

from mcpr.errors import McprError
from mcpr.proxy.privacy_proof import ProofRow, prove
from mcpr.settings import SettingsError

PROGRAM = str(leaky_program.__file__)
ROOT = str(Path(__file__).resolve().parents[3])


def leaky(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The command of a proxy with this leak."""
    monkeypatch.setenv("PYTHONPATH", ROOT)
    return (sys.executable, "-P", PROGRAM, name)


def wrong(rows: list[ProofRow]) -> dict[str, ProofRow]:
    return {row.place: row for row in rows if row.verdict != "ok"}


@pytest.mark.parametrize("detail", [True, False])
def test_the_shipped_proxy_keeps_nothing_of_what_is_said(tmp_path: Path, detail: bool) -> None:
    file = tmp_path / "mcpr.toml"
    store = f'[store]\npath = "mine.db"\ndetail = {"true" if detail else "false"}\n'
    log = f'[log]\naccess = "{tmp_path}/mine.log"\n[admin]\ntoken = "{"a" * 32}"\n'
    file.write_text(f'mcp = "http://example.invalid/mcp"\n{store}{log}')
    proof = prove(file)
    assert "output/access.log, ended" in {sought.source for sought in proof.sources}
    assert wrong(proof.rows) == {}
    assert proof.is_passed
    assert proof.exchanges > 80
    assert {row.may for row in proof.rows} == {"nowhere", "record"} | (
        {"store"} if detail else set()
    )
    pages = {sought.source: sought.size for sought in proof.sources if "page" in sought.source}
    assert pages["page /metrics, running"] > 1_000
    found = {row.place for row in proof.rows if row.found}
    assert ("message of an error" in found) is detail
    assert "name of a tool" in found
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("leak", "place", "source"),
    [
        ("arguments into the log", "argument of a common call", "output/stderr"),
        ("results into a file", "result of a common call", "cwd/answers (base64)"),
        ("arguments into a temporary file", "argument of a common call", "tmpdir/"),
        ("session id in place of its name", "id of the session", "store/store.db"),
        ("detail onto stderr", "host of a resource", "output/stderr"),
        ("detail into the metrics", "", "page /metrics"),
        ("client address into the log", "address of the client", "output/stderr"),
    ],
    ids=lambda value: value.replace(" ", "-"),
)
def test_a_planted_leak_is_found(
    leak: str, place: str, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = prove(None, leaky(leak, monkeypatch))
    assert not proof.is_passed
    leaks = [row for row in wrong(proof.rows).values() if row.verdict == "leak"]
    assert any(place in row.place and source in row.found for row in leaks)


def test_a_planted_connection_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as stranger:
        port = stranger.getsockname()[1]
        monkeypatch.setenv("UPDATE_PORT", str(port))
        found = wrong(prove(None, leaky("an update check", monkeypatch)).rows)
    assert set(found) == {"connections to anybody but the server"}
    assert f"tcp 127.0.0.1:{port}" in found["connections to anybody but the server"].found


def test_what_goes_to_a_collector_is_searched_and_goes_to_no_other(tmp_path: Path) -> None:
    file = tmp_path / "mcpr.toml"
    otlp = '[otlp]\nendpoint = "http://127.0.0.1:9"\nheaders = { key = "a-secret-of-mine" }\n'
    file.write_text(f'mcp = "http://example.invalid/mcp"\n{otlp}')
    proof = prove(file)
    assert wrong(proof.rows) == {}
    sizes = {sought.source: sought.size for sought in proof.sources}
    assert sizes["all that was sent to the collector, ended"] > 1_000
    [tool] = [row for row in proof.rows if row.may == "record"]
    assert "all that was sent to the collector" in tool.found


def test_a_proxy_that_refuses_what_is_said_proves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "mcpr.toml"
    file.write_text('mcp = "http://example.invalid/mcp"\n[limits]\nrequest_size = "1KiB"\n')
    found = wrong(prove(file).rows)
    assert {row.verdict for row in found.values()} == {"not said"}
    assert "result in a large body" in found


def test_wrong_settings_are_told_before_anything_begins(tmp_path: Path) -> None:
    file = tmp_path / "mcpr.toml"
    file.write_text("porrt = 1\n")
    with pytest.raises(SettingsError, match="porrt"):
        prove(file)


def test_a_proxy_that_does_not_start_is_no_proof() -> None:
    command = (sys.executable, "-c", "import sys; sys.exit('it broke')")
    with pytest.raises(McprError, match="did not start: it broke") as raised:
        prove(None, command)
    assert raised.value.code == "proof.failed"


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    prove(None)
    assert list(tmp_path.iterdir()) == []
