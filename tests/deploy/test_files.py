"""deploy/: the container's recipe and the unit say what the documentation promises of them.

Linted by the tools of their kinds; test_recipe.py carries the recipe out.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploy.dockerfile import Instruction, read, stages

from mcpr.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
UNIT = (DEPLOY / "mcpr.service").read_text()
COMPOSE = (DEPLOY / "compose.yaml").read_text()
HADOLINT = Path(sys.executable).with_name("hadolint")
INSTALLED = "/opt/mcpr/bin/mcpr"
#: systemd's own measure of what a unit could do to its machine: 10 is everything.
EXPOSURE = 1.5


def called(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def values(name: str) -> list[str]:
    """Of the image that is kept, not of those it is built in."""
    return [found.value for found in stages(DOCKERFILE)[-1] if found.name == name]


def test_a_dockerfile_is_read_as_it_is_meant() -> None:
    text = '# a\nARG A=1\nfrom a AS b\nRUN one \\\n  # why\n    && two\n\nFROM c\nCMD ["d"]\n'
    assert read(text) == [
        Instruction("ARG", "A=1"),
        Instruction("FROM", "a AS b"),
        Instruction("RUN", "one && two"),
        Instruction("FROM", "c"),
        Instruction("CMD", '["d"]'),
    ]
    assert [len(stage) for stage in stages(text)] == [2, 2]


def test_the_dockerfile_passes_its_linter() -> None:
    assert called(HADOLINT, "--failure-threshold", "style", DEPLOY / "Dockerfile").stdout == ""


def test_a_planted_fault_is_found_by_the_linter(tmp_path: Path) -> None:
    faulty = tmp_path / "Dockerfile"
    faulty.write_text(DOCKERFILE.replace("USER 10001:10001", "USER root"))
    assert "DL3002" in called(HADOLINT, "--failure-threshold", "style", faulty).stdout


def test_the_image_runs_as_nobodys_user_and_writes_to_one_folder() -> None:
    assert values("USER") == ["10001:10001"]
    assert values("VOLUME") == ['["/var/lib/mcpr"]']
    assert "MCPR_DB=/var/lib/mcpr/store.db" in values("ENV")[0]


def test_nothing_of_the_image_is_started_by_a_shell() -> None:
    """A shell as the first process would keep SIGTERM to itself."""
    (health,) = values("HEALTHCHECK")
    for form in (*values("ENTRYPOINT"), *values("CMD"), health.partition("CMD ")[2]):
        assert all(isinstance(word, str) for word in json.loads(form))
    assert json.loads(health.partition("CMD ")[2]) == ["mcpr", "healthcheck"]
    assert "healthcheck" in COMMANDS


def test_the_build_sees_what_it_copies_and_nothing_else() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    seen = {rule[1:] for rule in rules if rule[0] == "!"}
    copied = {
        word
        for instruction in read(DOCKERFILE)
        if instruction.name == "COPY" and not instruction.value.startswith("--from")
        for word in instruction.value.split()[:-1]
    }
    assert copied == seen
    assert {name for name in seen if not (ROOT / name).exists()} == set()


def unit(tmp_path: Path, text: str = UNIT) -> Path:
    """The unit, as if mcpr was installed where it says."""
    path = tmp_path / "mcpr.service"
    path.write_text(text.replace(INSTALLED, str(Path(sys.executable).with_name("mcpr"))))
    return path


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    verified = called("systemd-analyze", "verify", "--man=no", unit(tmp_path))
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("Type=notify", "Type=notfy"), (INSTALLED, "/nowhere/mcpr"), ("UMask=", "UMsk=")],
)
def test_a_planted_fault_of_the_unit_is_found(tmp_path: Path, right: str, wrong: str) -> None:
    verified = called(
        "systemd-analyze", "verify", "--man=no", unit(tmp_path, UNIT.replace(right, wrong))
    )
    assert verified.stderr


def test_systemd_finds_the_unit_hardened(tmp_path: Path) -> None:
    command = ("systemd-analyze", "security", "--offline=yes", "--no-pager", unit(tmp_path))
    level = re.search(
        r"Overall exposure level for mcpr\.service: ([0-9.]+)", called(*command).stdout
    )
    assert level is not None
    assert float(level[1]) <= EXPOSURE


def test_the_unit_waits_for_our_own_words_and_for_a_whole_drain() -> None:
    settings = dict(re.findall(r"^(\w+)=(.*)$", UNIT, re.MULTILINE))
    assert settings["Type"] == "notify"
    assert settings["RestartPreventExitStatus"] == "2"
    assert settings["ExecReload"] == "/bin/kill -HUP $MAINPID"
    # A drain of 30 s and 10 s for the rest, and room.
    assert int(settings["TimeoutStopSec"]) > 40
    assert re.search(r"stop_grace_period: (\d+)s", COMPOSE)
    assert int(re.findall(r"stop_grace_period: (\d+)s", COMPOSE)[0]) > 40


def test_the_example_of_compose_closes_what_can_be_closed() -> None:
    for line in ("read_only: true", "- ALL", "- no-new-privileges:true", "dockerfile: deploy/"):
        assert line in COMPOSE
    assert '"127.0.0.1:3000:3000"' in COMPOSE
