"""The tools are installed once for each state of the lock, and failures say what to do."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.conformance.install import (
    APPS_FOLDER,
    FOLDER,
    NODE_PACKAGES,
    install_apps,
    install_fastmcp,
    install_tools,
    node_package,
)

from mcpr.errors import McprError

PACKAGES = (
    f"{node_package()}/bin/node",
    "@modelcontextprotocol/conformance/dist/index.js",
    "@modelcontextprotocol/conformance/requirements/2025-11-25.yaml",
    "@modelcontextprotocol/server-everything/dist/index.js",
    "@modelcontextprotocol/inspector/clients/launcher/build/index.js",
)
GOOD_NPM = """\
#!/bin/sh -e
echo called >> "$PWD/calls"
echo "$@" >> "$PWD/arguments"
""" + "".join(f"install -D /dev/null node_modules/{path}\n" for path in PACKAGES)


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


def test_no_package_may_run_a_script(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_npm(folder, GOOD_NPM, monkeypatch)
    install_tools(folder)
    assert "--ignore-scripts" in (folder / "arguments").read_text().split()


def test_an_npm_that_left_out_the_node_of_this_machine_is_noticed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_npm(folder, GOOD_NPM.replace("node-linux-", "other-"), monkeypatch)
    with pytest.raises(McprError, match="npm config get omit"):
        install_tools(folder)


def test_a_machine_without_a_node_in_the_lock_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "s390x")
    with pytest.raises(McprError, match="there is no node-linux-s390x"):
        install_tools(folder)


def test_the_environment_of_fastmcp_is_made_once_and_a_failing_pip_is_told(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "some.lock"
    lock.write_text("# nothing\n")
    python = install_fastmcp(tmp_path, lock)
    (tmp_path / ".venv/kept").touch()
    assert install_fastmcp(tmp_path, lock) == python
    assert (tmp_path / ".venv/kept").exists()
    lock.write_text("without-a-hash==1.0\n")
    with pytest.raises(McprError, match=r"(?s)exit code 1.*hash"):
        install_fastmcp(tmp_path, lock)
    assert not (tmp_path / ".venv/kept").exists()


def test_the_servers_with_widgets_are_installed_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "install -D /dev/null node_modules/@modelcontextprotocol/server-map/dist/index.js"
    put_npm(folder, f"#!/bin/sh -e\necho called >> calls\n{script}\n", monkeypatch)
    assert install_apps(folder) == install_apps(folder)
    assert install_apps(folder)["map"].exists()
    assert count_calls(folder) == 1


@pytest.mark.parametrize("of", [FOLDER, APPS_FOLDER], ids=["tools", "apps"])
def test_the_lock_names_no_registry_and_pins_every_package_by_its_hash(of: Path) -> None:
    lock = (of / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') == lock.count('    "node_modules/')


def test_the_lock_has_a_node_of_one_version_for_each_kind_of_machine() -> None:
    packages = json.loads((FOLDER / "package-lock.json").read_text())["packages"]
    nodes = {name: packages[f"node_modules/{name}"] for name in NODE_PACKAGES}
    assert len({node["version"] for node in nodes.values()}) == 1
