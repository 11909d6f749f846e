"""cli: the table of commands, and the one place where errors become words and exit codes."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from tests.cli.asking import ask, golden
from tests.events.building import many
from tests.store.building import a_store
from tests.store.processes import running

from mcpr import __version__
from mcpr.cli import BEHAVIOUR_COMMANDS, COMMANDS, CONFIG_COMMANDS, CSP_COMMANDS, STORE_COMMANDS
from mcpr.errors import Exit

ROOT = Path(__file__).resolve().parents[2]
MCPR = Path(sys.executable).with_name("mcpr")


GROUPS = {
    "store": STORE_COMMANDS,
    "config": CONFIG_COMMANDS,
    "csp": CSP_COMMANDS,
    "behaviour": BEHAVIOUR_COMMANDS,
}
ENTRIES = COMMANDS | {
    f"{group} {name}": entry for group, inner in GROUPS.items() for name, entry in inner.items()
}


def loaded(name: str) -> click.Command:
    module, _, attribute = ENTRIES[name].target.partition(":")
    command = getattr(import_module(module), attribute)
    assert isinstance(command, click.Command)
    return command


@pytest.mark.parametrize("name", ENTRIES)
def test_a_command_says_of_itself_what_the_table_says_of_it(name: str) -> None:
    command = loaded(name)
    assert command.name == name.rsplit(maxsplit=1)[-1]
    assert (command.help or "").partition("\n")[0] == ENTRIES[name].help


@pytest.mark.parametrize("name", ["", *ENTRIES])
def test_help_is_as_in_its_golden_file(name: str) -> None:
    answer = ask(*name.split(), "--help")
    assert answer == (Exit.OK, golden("-".join(["help", *name.split()]) + ".txt"), "")


def test_help_imports_nothing_but_click() -> None:
    """ISSUE A: `mcpr --help` costs at most 60 ms more than a Python that does nothing."""
    program = "import sys; from mcpr.cli import main; main(['--help']); print(*sys.modules)"
    command = [sys.executable, "-c", program]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    modules = set(shown.splitlines()[-1].split())
    heavy = {"msgspec", "sqlite3", "asyncio", "uvloop", "starlette", "uvicorn", "json", "ssl"}
    assert modules & heavy == set()
    ours = {"mcpr", "mcpr.cli", "mcpr.cli.lazy", "mcpr.errors"}
    assert {name for name in modules if name.partition(".")[0] == "mcpr"} == ours


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["lgos"], Exit.USAGE, "Did you mean 'logs'?"),
        (["xyzzy"], Exit.USAGE, "No such command 'xyzzy'."),
        (["proxy", "runn"], Exit.USAGE, "Did you mean 'run'?"),
        (["logs", "--sinse", "1h"], Exit.USAGE, "Did you mean"),
        (["logs", "--limit", "0"], Exit.USAGE, "--limit"),
        (["logs", "--outcome", "bad"], Exit.USAGE, "tool_error"),
        (["logs", "-o", "yaml"], Exit.USAGE, "ndjson"),
        (["logs", "--since", "soon"], Exit.USAGE, "mcpr: cannot read 'soon' as an instant"),
        (["logs", "--session", "x"], Exit.USAGE, "mcpr: cannot look for the session 'x'"),
        (["logs", "--follow", "-o", "json"], Exit.USAGE, "Use -o ndjson"),
        (["logs", "--since", "1h", "--until", "2h"], Exit.USAGE, "empty span of time"),
        (["tools", "--db", "none.db"], Exit.FAILED, "nothing has been recorded there yet"),
        (["tools", "--db", "\x1b[2Jnone.db"], Exit.FAILED, "cannot open the store \\x1b[2Jnone.db"),
        (["run"], Exit.USAGE, "mcpr run http://localhost:9000/mcp"),
        (["run", "localhost:9000"], Exit.USAGE, "http://localhost:9000/mcp"),
        (["run", "http://a", "--port", "65536"], Exit.USAGE, "--port"),
        (["proxy", "run"], Exit.USAGE, "there is no mcpr.toml here"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_told_in_words_with_its_exit_code(
    arguments: list[str], code: Exit, words: str
) -> None:
    answer = ask(*arguments)
    assert answer.code == code
    assert answer.out == ""
    assert words in answer.err
    assert "Traceback" not in answer.err


def test_without_a_command_the_help_is_shown_as_for_a_mistake() -> None:
    answer = ask()
    assert answer.code == Exit.USAGE
    assert "logs" in answer.err


def test_version_says_the_version() -> None:
    assert ask("--version") == (Exit.OK, f"mcpr {__version__}\n", "")


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), Exit.INTERRUPTED), (BrokenPipeError(), Exit.OK)]
)
def test_an_interrupt_and_a_reader_that_left_have_their_exit_codes(
    error: BaseException, code: Exit
) -> None:
    program = f"""
import sys
from mcpr.cli import main
def clock():
    raise {type(error).__name__}
sys.exit(main(["logs"], now_ms=clock))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (code, "", "")


@pytest.mark.parametrize("options", [[], ["--follow"]], ids=["while writing", "while waiting"])
def test_a_reader_that_has_enough_is_no_error(tmp_path: Path, options: list[str]) -> None:
    """As in `mcpr logs -o csv | head -1`. The answer is larger than a pipe takes at once."""
    path = a_store(tmp_path / "s.db", many(2_000))
    asked = ["--since", "2025-12-01", "-o", "csv", "--limit", "5" if options else "2000"]
    command = [str(MCPR), "logs", "--db", str(path), *asked, *options]
    # An unbuffered Python does not notice that a part of what it wrote was not taken.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with running(command, stderr=subprocess.PIPE, env=env) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == Exit.OK
        assert process.stderr.read() == ""


def test_the_shell_completes_commands() -> None:
    asked = {"_MCPR_COMPLETE": "bash_complete", "COMP_WORDS": "mcpr to", "COMP_CWORD": "1"}
    done = subprocess.run([MCPR], env=asked, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "plain,tools\n"


@pytest.mark.parametrize("name", ENTRIES)
def test_every_option_of_a_command_stands_in_the_reference(name: str) -> None:
    page = (ROOT / "docs/reference/cli.md").read_text()
    section = page.partition(f"\n## mcpr {name}\n")[2].partition("\n## ")[0]
    options = {
        name for option in loaded(name).params for name in (*option.opts, *option.secondary_opts)
    }
    options = {option for option in options if option.startswith("-")}
    assert {option for option in options if f"`{option}" not in section} == set()
    assert section


def test_every_exit_code_stands_in_the_reference() -> None:
    page = (ROOT / "docs/reference/cli.md").read_text()
    assert [code for code in Exit if f"| {code.value} |" not in page] == []
