"""cli/config: a settings file is written, looked at, and repaired from what is said of it."""

import json
import os
import stat
from pathlib import Path

import pytest
from tests.cli.asking import ask, golden

from mcpr.errors import Exit

SETTINGS = Path(__file__).parents[1] / "golden" / "settings"
URL = "http://localhost:9000/mcp"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("MCPR_")]:
        monkeypatch.delenv(name)
    return tmp_path


def test_three_mistakes_are_repaired_from_the_messages_alone(here: Path) -> None:
    """ISSUE B. The repaired file does what each line says, and nothing else."""
    for name in ("three-mistakes.toml", "repaired.toml"):
        (here / name).write_bytes((SETTINGS / name).read_bytes())
    for command in ("validate", "run"):
        answer = ask(command, "three-mistakes.toml")
        said = (SETTINGS / "three-mistakes.txt").read_text()
        assert answer == (Exit.USAGE, "", said)
    answer = ask("validate", "repaired.toml")
    assert answer == (
        Exit.OK,
        f"repaired.toml is valid: http://127.0.0.1:3000 -> {URL}\n",
        "",
    )


def test_the_file_that_init_writes_is_valid_explained_and_its_owners_alone(here: Path) -> None:
    assert ask("init").out == "mcpr.toml is written. Next: mcpr validate; mcpr run\n"
    file = here / "mcpr.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert text.startswith("# Settings of mcpr")
    assert "\n#:schema ./mcpr.schema.json\n" in text
    assert all(f"\n{word}" in text for word in ("[limits]\n", "#port = 3000\n", "[log]\n"))
    assert max(map(len, text.splitlines())) <= 100
    assert ask("validate").out == f"mcpr.toml is valid: http://127.0.0.1:3000 -> {URL}\n"


def test_everything_that_init_shows_is_valid_when_it_is_put_in_force(here: Path) -> None:
    ask("init", "all.toml", "--mcp", "https://mcp.example.com")
    file = here / "all.toml"
    lines = file.read_text().splitlines()
    shown = [line[1:] for line in lines if line.startswith("#") and line[1:2] not in {"", " ", ":"}]
    assert len(shown) > 20
    file.write_text("\n".join(line[1:] if line[1:] in shown else line for line in lines))
    answer = ask("validate", "all.toml")
    assert answer.err == ""
    assert "https://mcp.example.com/" in answer.out


def test_init_writes_over_nothing_unless_it_is_told_to(here: Path) -> None:
    file = here / "mcpr.toml"
    file.write_text("mine")
    answer = ask("init")
    assert (answer.code, file.read_text()) == (Exit.FAILED, "mine")
    assert "--force" in answer.err
    assert ask("init", "--force").code == Exit.OK
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "mine" not in file.read_text()
    assert list(here.iterdir()) == [file]


@pytest.mark.parametrize("file", ["none/mcpr.toml", "."])
def test_init_says_why_it_cannot_write(file: str) -> None:
    for options in ([], ["--force"]):
        answer = ask("init", file, *options)
        assert answer.code == Exit.FAILED
        assert answer.err.startswith(f"mcpr: cannot write {file}: ")


def test_init_refuses_a_url_that_the_file_could_not_hold(here: Path) -> None:
    answer = ask("init", "--mcp", "localhost")
    assert answer.code == Exit.USAGE
    assert answer.err.startswith('mcpr: --mcp: "localhost" has no scheme.')
    assert list(here.iterdir()) == []


def test_a_dump_shows_what_is_in_force_where_it_comes_from_and_no_secret(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "name").write_text("planted\n")
    (here / "mcpr.toml").write_text(
        f'mcp = "{URL}"\nname = "${{file:name}}"\nport = 1\n[limits]\nexchanges = 7\n'
    )
    monkeypatch.setenv("MCPR_PORT", "2")
    answer = ask("validate", "--dump")
    assert answer.err == ""
    # The keys at the top, and the first table; a new table need not be known here.
    assert answer.out.startswith(golden("validate-dump.txt"))
    assert "planted" not in answer.out


def test_a_dump_without_its_secrets_is_a_file_that_says_the_same(here: Path) -> None:
    (here / "one.toml").write_text(f'[[server]]\nmcp = "{URL}"\nlimits.exchanges = 3\n')
    first = ask("validate", "--dump", "one.toml").out
    (here / "two.toml").write_text(first)
    second = ask("validate", "--dump", "two.toml").out
    values = [
        [line.partition("  # ")[0].rstrip() for line in each.splitlines()]
        for each in (first, second)
    ]
    assert values[0] == values[1]


def test_without_a_file_validate_says_how_to_get_one() -> None:
    answer = ask("validate")
    assert answer.code == Exit.USAGE
    assert "mcpr init" in answer.err


def test_a_misspelt_variable_is_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPR_PROT", "1")
    answer = ask("validate", URL)
    assert answer.code == Exit.OK
    assert answer.err == "mcpr: MCPR_PROT is not heeded; is MCPR_PORT meant?\n"


def test_a_url_is_valid_on_its_own() -> None:
    assert ask("validate", URL).out == (
        f"The command line is valid: http://127.0.0.1:3000 -> {URL}\n"
    )


def test_the_schema_is_json_for_editors() -> None:
    schema = json.loads(ask("config", "schema").out)
    assert schema["title"] == "mcpr.toml"
    assert schema["properties"]["port"]
