"""cli/doctor: everything is looked at, in words and for programs, and the exit code says it."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.asking import a_mornings_store, ask

from mcpr.errors import Exit
from mcpr.proxy.privacy_proof.echo import Echo, answer, result


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MCPR_CONFIG", raising=False)


def test_where_all_is_well_it_says_so(tmp_path: Path) -> None:
    a_mornings_store(tmp_path / "s.db")
    with closing(Echo()) as echo:
        echo.script = answer(result({}, 1))
        tables = '[store]\npath = "s.db"\n[admin]\nlisten = "127.0.0.1:0"\n'
        (tmp_path / "mcpr.toml").write_text(f'mcp = "{echo.url}"\nport = 0\n{tables}')
        told = ask("doctor", "-o", "json")
        words = ask("doctor")
    states = {row["check"]: row["state"] for row in json.loads(told.out)["rows"]}
    assert told.code == words.code == Exit.OK
    assert set(states) >= {"settings", "port", "server", "endpoint", "store", "integrity", "clock"}
    assert "fail" not in states.values()
    assert "ok    endpoint             /mcp is an MCP endpoint (it answers 200)\n" in words.out


def test_every_mistake_of_the_settings_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "mcpr.toml").write_text('mcp = "nowhere"\nporrt = 1\n')
    told = ask("doctor", "-o", "json")
    rows = [row for row in json.loads(told.out)["rows"] if row["check"] == "settings"]
    assert told.code == Exit.FAILED
    assert [row["state"] for row in rows] == ["fail", "fail"]
    assert "mcpr.toml:1" in rows[0]["why"]


def test_without_settings_the_rest_is_looked_at() -> None:
    answered = ask("doctor")
    assert answered.code == Exit.OK
    assert "WARN  settings" in answered.out
    assert "ok    store" in answered.out


def test_settings_that_others_may_write_are_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "mcpr.toml"
    file.write_text('mcp = "http://127.0.0.1:9/mcp"\n')
    file.chmod(0o666)
    assert "WARN  mode of the settings" in ask("doctor").out
