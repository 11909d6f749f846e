"""cli/completion: what shells read, and the names that a store completes with."""

import subprocess
from pathlib import Path

import pytest
from tests.cli.asking import a_mornings_store, ask
from tests.cli.test_commands import MCPR
from tests.events.building import an_event
from tests.store.building import a_store

from mcpr.cli.completion import SHELLS
from mcpr.errors import Exit


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gets_what_calls_mcpr_back(shell: str) -> None:
    answer = ask("completion", shell)
    assert answer.code == Exit.OK
    assert f"_MCPR_COMPLETE={shell}_complete" in answer.out


def test_the_shell_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert ask("completion") == ask("completion", "fish")
    for name in ("", "/bin/sh"):
        monkeypatch.setenv("SHELL", name)
        answer = ask("completion")
        assert answer.code == Exit.USAGE
        assert "name one of bash, zsh, fish" in answer.err.lower()


def completed(words: str, path: Path) -> list[str]:
    asked = {
        "_MCPR_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
        "MCPR_DB": str(path),
    }
    done = subprocess.run([MCPR], env=asked, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_bash_runs_what_it_is_given() -> None:
    """The whole way: a real bash reads it and completes."""
    script = f"""
        PATH={MCPR.parent}:$PATH
        eval "$(mcpr completion bash)"
        COMP_WORDS=(mcpr sto) COMP_CWORD=1
        _mcpr_completion mcpr sto mcpr
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["store"]


def test_recorded_names_are_completed(tmp_path: Path) -> None:
    path = a_mornings_store(tmp_path / "s.db")
    assert completed("mcpr logs --tool f", path) == ["forecast"]
    assert completed("mcpr logs --client claude", path) == ["claude-code"]
    assert completed("mcpr tools --server w", path) == ["weather"]
    assert completed("mcpr logs --tool z", path) == []


def test_a_hostile_name_or_no_store_completes_nothing(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event(tool="x\x1b[2J")])
    assert completed("mcpr logs --tool x", path) == []
    assert completed("mcpr logs --tool x", tmp_path / "none.db") == []
    assert not (tmp_path / "none.db").exists()
