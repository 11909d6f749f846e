"""The built wheel, and an environment that has it and nothing of ours besides."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.packaging.building import ROOT, WAIT_SECONDS, Release, build, copy_sources


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Wheel and sdist of the tree as it is."""
    return build(copy_sources(tmp_path_factory.mktemp("release") / "tree"))


@pytest.fixture(scope="session")
def installed(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the wheel and what the base lock pins."""
    folder = tmp_path_factory.mktemp("installed") / "environment"
    python = folder / "bin" / "python"

    def call(*command: str | Path) -> None:
        subprocess.run(
            [str(part) for part in command],
            cwd=folder.parent,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            check=True,
            timeout=5 * WAIT_SECONDS,
        )

    def install(*what: str | Path) -> None:
        call(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *what)

    call(sys.executable, "-m", "venv", folder)
    install("--require-hashes", "-r", ROOT / "requirements/base.lock")
    # Without dependencies: whatever the lock lacks, `pip check` finds below.
    install("--no-deps", "--no-index", release.wheel)
    call(python, "-m", "pip", "check")
    return folder / "bin"
