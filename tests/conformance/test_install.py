"""The tools are installed once for each state of the lock, and failures say what to do."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.conformance.install import FOLDER, install_tools

from mcpr.errors import McprError

GOOD_NPM = """\
#!/bin/sh -e
echo called >> "$PWD/calls"
mkdir -p node_modules/node/bin
mkdir -p node_modules/@modelcontextprotocol/conformance/dist
mkdir -p node_modules/@modelcontextprotocol/server-everything/dist
touch node_modules/node/bin/node
touch node_modules/@modelcontextprotocol/conformance/dist/index.js
touch node_modules/@modelcontextprotocol/server-everything/dist/index.js
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of what npm reads."""
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


def put_npm(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `script` the npm that is found; a real one would fetch 240 MB."""
    programs = folder / "programs"
    programs.mkdir()
    (programs / "npm").write_text(script)
    (programs / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


def count_calls(folder: Path) -> int:
    return len((folder / "calls").read_text().splitlines())


def test_installers_at_the_same_time_run_npm_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_npm(folder, GOOD_NPM, monkeypatch)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(install_tools, [folder] * 3))
    assert found[0].node.exists()
    assert found == [found[0]] * 3
    assert count_calls(folder) == 1


def test_a_changed_lock_is_installed_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_npm(folder, GOOD_NPM, monkeypatch)
    install_tools(folder)
    with (folder / "package-lock.json").open("a") as lock:
        lock.write("\n")
    install_tools(folder)
    assert count_calls(folder) == 2


def test_an_absent_npm_is_told_with_the_command_that_installs_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(McprError, match="apt-get install"):
        install_tools(folder)


def test_a_failing_npm_is_told_in_its_own_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_npm(folder, "#!/bin/sh\necho the registry is away >&2\nexit 7\n", monkeypatch)
    with pytest.raises(McprError, match=r"exit code 7.*\n.*the registry is away"):
        install_tools(folder)


def test_an_npm_that_ran_no_install_scripts_is_noticed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_npm(folder, GOOD_NPM.replace("touch node_modules/node/bin/node\n", ""), monkeypatch)
    with pytest.raises(McprError, match="ignore-scripts"):
        install_tools(folder)


def test_the_lock_names_no_registry_and_pins_every_package_by_its_hash() -> None:
    lock = (FOLDER / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') == lock.count('    "node_modules/')
