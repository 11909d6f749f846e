"""The wheel in an empty environment: what a person has after `pip install mcpr`."""

import http.client
import json
import os
import re
import signal
import subprocess
import tomllib
from pathlib import Path

from tests.packaging.building import ROOT, WAIT_SECONDS
from tests.scenarios.processes import Program, an_upstream
from tests.test_architecture import BASE_PACKAGES, HEAVY

#: What `python -m venv` puts there itself.
BROUGHT_BY_VENV = {"pip", "setuptools"}
URL = re.compile(rb"http://127\.0\.0\.1:([0-9]+)")
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "quick", "arguments": {}},
}

#: Extra → settings with which `mcpr run` needs it.
NEEDS_EXTRA = {"otlp": '[otlp]\nendpoint = "http://127.0.0.1:1"\n'}


def called(
    bin_folder: Path, folder: Path, *command: str | Path
) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment, from a folder where nothing of ours can be imported."""
    return subprocess.run(
        [bin_folder / command[0], *command[1:]],
        cwd=folder,
        env=environment(folder),
        timeout=WAIT_SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )


def environment(folder: Path) -> dict[str, str]:
    """As on a machine that knows nothing of mcpr: no variables of ours, an empty home."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": str(folder)}


def test_help_and_version_are_told(installed: Path, tmp_path: Path) -> None:
    shown = called(installed, tmp_path, "mcpr", "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "mcpr run" in shown.stdout
    version = called(installed, tmp_path, "mcpr", "--version").stdout
    assert re.fullmatch(r"mcpr \d+\.\d+\.\d+\S*\n", version)


def test_the_package_comes_from_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    said = called(installed, tmp_path, "python", "-c", "import mcpr; print(mcpr.__file__)")
    assert Path(said.stdout.strip()).is_relative_to(installed.parent), said
    assert not Path(said.stdout.strip()).is_relative_to(ROOT)


def test_few_packages_come_with_it_and_no_heavy_one(installed: Path, tmp_path: Path) -> None:
    listed = called(installed, tmp_path, "python", "-m", "pip", "list", "--format=json")
    names = {item["name"].lower() for item in json.loads(listed.stdout)} - BROUGHT_BY_VENV
    assert "mcpr" in names
    assert len(names - {"mcpr"}) <= BASE_PACKAGES
    assert not names & HEAVY


def test_a_call_through_it_is_recorded_and_shown(installed: Path, tmp_path: Path) -> None:
    with an_upstream(tmp_path) as upstream:
        proxy = Program(
            [
                *(str(installed / "mcpr"), "run", f"http://127.0.0.1:{upstream.port}/mcp"),
                *("--port", "0", "--admin", "off", "--db", str(tmp_path / "store.db")),
            ],
            URL.search,
            {"HOME": str(tmp_path), "PYTHONPATH": ""},
            tmp_path / "proxy.txt",
        )
        try:
            client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=WAIT_SECONDS)
            client.request("POST", "/mcp", json.dumps(CALL), {"Content-Type": "application/json"})
            answer = client.getresponse()
            assert (answer.status, json.loads(answer.read())["id"]) == (200, 1)
            client.close()
            ended = proxy.stop(signal.SIGTERM)
        finally:
            proxy.close()
    assert (ended.code, ended.counts) == (0, (1, 1, 0, 0)), ended.stderr
    shown = called(installed, tmp_path, "mcpr", "logs", "-o", "json", "--db", "store.db")
    (row,) = json.loads(shown.stdout)["rows"]
    assert (row["method"], row["tool"], row["outcome"]) == ("tools/call", "quick", "ok")


def test_what_needs_an_extra_says_how_to_install_it(installed: Path, tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert NEEDS_EXTRA.keys() == project.get("optional-dependencies", {}).keys() - {"all"}
    for extra, settings in NEEDS_EXTRA.items():
        head = 'mcp = "http://127.0.0.1:1/mcp"\nport = 0\n'
        (tmp_path / "mcpr.toml").write_text(head + settings)
        shown = called(installed, tmp_path, "mcpr", "run", "mcpr.toml", "--db", "store.db")
        assert shown.returncode != 0
        assert f"pip install 'mcpr[{extra}]'" in shown.stderr
