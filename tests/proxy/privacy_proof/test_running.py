"""proxy/privacy_proof/running: a running proxy passes, a leaky one does not, nobody is hurt."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.asking import ask
from tests.proxy.privacy_proof import leaky_program

from mcpr.errors import Exit, McprError
from mcpr.proxy.privacy_proof import Target, prove_running
from mcpr.proxy.privacy_proof.echo import Echo
from mcpr.proxy.privacy_proof.program import ACCESS_LOG, STORE
from mcpr.serving.presence import present

ROOT = str(Path(__file__).resolve().parents[3])
SHIPPED = (sys.executable, "-P", "-m", "mcpr.proxy.privacy_proof.program")


@contextmanager
def a_proxy(folder: Path, echo: Echo, *command: str) -> Iterator[Target]:
    """A proxy before this server."""
    for name in ("store", "output"):
        (folder / name).mkdir()
    with (
        (folder / "stderr").open("wb") as err,
        subprocess.Popen([*command, str(folder), echo.url, echo.url, "-"], stderr=err) as process,
    ):
        try:
            deadline = time.monotonic() + 60
            while not (found := present(folder / STORE)):
                assert process.poll() is None
                assert time.monotonic() < deadline
            log = folder / ACCESS_LOG
            yield Target(found[0], "/mcp", folder / STORE, log, None, detail=True)
        finally:
            process.terminate()


def test_a_running_proxy_keeps_nothing_and_its_server_is_asked_for_nothing_it_has(
    tmp_path: Path,
) -> None:
    with closing(Echo()) as echo, a_proxy(tmp_path, echo, *SHIPPED) as target:
        proof = prove_running(target)
        heard = bytes(echo.heard).lower()
    assert proof.is_passed, [row for row in proof.rows if row.verdict != "ok"]
    assert {row.may for row in proof.rows} == {"nowhere", "store", "record"}
    found = {row.place for row in proof.rows if row.found}
    assert {"name of a tool that is none", "URI of a resource that is none"} <= found
    sources = {sought.source: sought.size for sought in proof.sources}
    assert sources["store/store.db-wal"] > 1_000
    assert sources["page /metrics"] > 1_000
    assert sources["access log"] > 0
    assert "cmdline of process 0" in sources
    assert heard.count(b"post /mcp") == proof.exchanges - 1
    for word in (b"initialize", b"authorization", b"cookie", b"mcp-session-id"):
        assert word not in heard


def test_a_leak_into_a_log_that_is_named_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", ROOT)
    program = (sys.executable, "-P", str(leaky_program.__file__), "arguments into the log")
    with closing(Echo()) as echo, a_proxy(tmp_path, echo, *program) as target:
        proof = prove_running(replace(target, access_log=tmp_path / "stderr"))
    leaks = {row.place for row in proof.rows if row.verdict == "leak"}
    assert "value of an argument" in leaks
    assert not proof.is_passed


def test_the_command_finds_the_proxy_beside_the_store_or_by_its_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MCPR_CONFIG", raising=False)
    monkeypatch.setenv("MCPR_DB", str(tmp_path / STORE))
    with closing(Echo()) as echo, a_proxy(tmp_path, echo, *SHIPPED) as target:
        for argument in ((), (target.presence.url,)):
            answer = ask("privacy-proof", "--running", *argument)
            assert (answer.code, answer.err) == (Exit.OK, "")
            assert f"proxy     {target.presence.url}\n" in answer.out
        other = ask("privacy-proof", "--running", "http://127.0.0.1:9/mcp")
    assert (other.code, other.out) == (Exit.FAILED, "")
    assert "see `mcpr status`" in other.err


def test_a_proxy_that_has_gone_is_no_proof(tmp_path: Path) -> None:
    with closing(Echo()) as echo, a_proxy(tmp_path, echo, *SHIPPED) as target:
        pass
    with pytest.raises(McprError, match="gave no whole answer"):
        prove_running(target)


def test_a_proxy_whose_server_is_gone_proves_nothing(tmp_path: Path) -> None:
    """The words would have reached nobody who could have answered them."""
    echo = Echo()
    with a_proxy(tmp_path, echo, *SHIPPED) as target:
        echo.close()
        with pytest.raises(McprError, match="could not hand the words to its MCP server"):
            prove_running(target)
