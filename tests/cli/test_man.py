"""cli/man: the manual page has every command with all its options, and roff can read it."""

import re
import shutil
import subprocess

import pytest
from tests.cli.asking import ask
from tests.cli.test_commands import ENTRIES, loaded

from mcpr.cli.man import _EXIT, _escaped
from mcpr.errors import Exit

PAGE = ask("man").out
SECTIONS = dict(
    re.findall(r"^\.SS \\fB(.+?)\\fR(.*?)(?=^\.S[SH]|\Z)", PAGE, re.DOTALL | re.MULTILINE)
)


@pytest.mark.parametrize("name", ENTRIES)
def test_every_command_is_there_with_all_its_options(name: str) -> None:
    command = loaded(name)
    if hasattr(command, "list_commands"):
        return
    section = SECTIONS[_escaped(f"mcpr {name}")]
    options = [option for parameter in command.params for option in parameter.opts]
    missing = [option for option in options if option[0] == "-" and _escaped(option) not in section]
    assert missing == []


def test_every_exit_code_is_there() -> None:
    assert set(_EXIT) == set(Exit)


def test_no_line_is_taken_for_a_command_of_roff() -> None:
    known = {".TH", ".SH", ".SS", ".PP", ".TP", ".nf", ".fi"}
    lines = [line for line in PAGE.splitlines() if line[:1] in {".", "'"}]
    assert {line.split()[0] for line in lines} <= known
    assert _escaped(".mcpr") == r"\&.mcpr"
    assert _escaped("a-b\\") == r"a\-b\e"


def test_groff_reads_it_without_a_warning() -> None:
    groff = shutil.which("groff")
    if groff is not None:
        command = [groff, "-man", "-Tutf8", "-ww", "-z"]
        done = subprocess.run(
            command, input=PAGE, capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")
