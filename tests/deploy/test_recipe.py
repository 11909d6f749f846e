"""deploy/Dockerfile carried out and run, as far as that goes without a container engine."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

SECONDS = 900


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, object]:
    """What came of it. Files of two users are made, so root is needed; else sudo is asked."""
    folder = tmp_path_factory.mktemp("recipe")
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n", "--preserve-env"]
    program = Path(__file__).with_name("recipe.py")
    ended = subprocess.run(
        [*as_root, "unshare", "--mount", sys.executable, program, folder],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    said: dict[str, object] = json.loads(ended.stdout)
    return said


@pytest.mark.timeout(SECONDS)
def test_it_runs_with_a_root_that_is_read_only_and_is_healthy(told: Mapping[str, object]) -> None:
    assert (told["health"], told["wrote_root"], told["logs"]) == (0, False, 0)


def test_it_runs_as_the_user_that_the_store_belongs_to(told: Mapping[str, object]) -> None:
    assert (told["user"], told["owner"], told["mode"]) == (True, 10001, "0o600")


def test_it_ends_well_when_it_is_told_and_is_not_healthy_then(told: Mapping[str, object]) -> None:
    assert (told["code"], told["health_afterwards"]) == (0, 1)


def test_the_image_has_mcpr_and_nothing_that_fetches_programs(told: Mapping[str, object]) -> None:
    programs = told["programs"]
    assert isinstance(programs, list)
    assert "mcpr" in programs
    assert not [name for name in programs if name.startswith(("pip", "hatch", "easy_install"))]
