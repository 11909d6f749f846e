"""settings/json_schema: what editors are told agrees with what mcpr takes."""

import re
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped] # it has no types
from scripts import settings_reference
from tests.settings.reading import SERVER, settings_of

from mcpr.settings import Settings
from mcpr.settings.json_schema import json_schema, text

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").rglob("*.toml"))
#: The TOML that pages show, whole files all of them.
SHOWN = [
    pytest.param(found[1], id=f"{page.name}-{number}")
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for number, found in enumerate(re.finditer(r"```toml\n(.*?)```", page.read_text(), re.DOTALL))
]
VALIDATOR = Draft7Validator(json_schema(Settings))


def test_the_schema_is_one_and_the_files_of_it_are_as_the_model_says() -> None:
    """If this is red after a change of the model: python scripts/settings_reference.py."""
    Draft7Validator.check_schema(json_schema(Settings))
    for path in settings_reference.SCHEMAS:
        assert path.read_text() == text(Settings)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_valid_for_mcpr_and_for_an_editor(path: Path) -> None:
    settings_of(path.read_text(), folder=path.parent)
    VALIDATOR.validate(tomllib.loads(path.read_text()))


@pytest.mark.parametrize("shown", SHOWN)
def test_the_toml_that_pages_show_is_valid(shown: str, tmp_path: Path) -> None:
    settings_of(shown, folder=tmp_path)
    VALIDATOR.validate(tomllib.loads(shown))


GOOD = [
    'port = "${PORT:-1}"',
    'allowed_hosts = "${HOSTS:-a,b}"',
    'allowed_hosts = ["${HOST:-a}"]',
    "[limits]",
    '[limits]\nwait_timeout = "1.5s"\nrequest_size = "1 MiB"',
    '[store]\ndetail = "${DETAIL:-true}"',
    '[log]\nform = "${FORM:-json}"',
]
BAD = [
    "prot = 1",
    'port = "1"',
    "port = 65536",
    'mcp = "localhost"',
    "allowed_hosts = 'a'",
    "[limits]\nwait_timeout = 5",
    '[limits]\nwait_timeout = "5"',
    "[server]",
    "[[server]]",
    '[log]\nform = "jsn"',
    "[[limits]]",
]


@pytest.mark.parametrize("good", GOOD)
def test_what_mcpr_takes_an_editor_takes(good: str) -> None:
    settings_of(f"{SERVER}{good}")
    VALIDATOR.validate(tomllib.loads(f"{SERVER}{good}"))


@pytest.mark.parametrize("bad", BAD)
def test_an_editor_finds_what_needs_nothing_else_to_be_found(bad: str) -> None:
    assert not VALIDATOR.is_valid(tomllib.loads(bad))
