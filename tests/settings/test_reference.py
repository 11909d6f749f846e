"""settings/reference: the page that tells of every key, and how values are written."""

import tomllib

import pytest
from scripts import settings_reference
from tests.settings.reading import SERVER, settings_of

from mcpr.settings.fields import keys_of
from mcpr.settings.kinds import Table
from mcpr.settings.model import Settings
from mcpr.settings.reference import toml


def test_the_page_is_what_the_model_says() -> None:
    """If this is red after a change of the model: python scripts/settings_reference.py."""
    text = settings_reference.PAGE.read_text()
    assert text == settings_reference.page(text)


def tables() -> list[tuple[str, type]]:
    inner = [
        (name, key.kind) for name, key in keys_of(Settings).items() if isinstance(key.kind, Table)
    ]
    return [("", Settings), *((name, kind.model) for name, kind in inner)]


@pytest.mark.parametrize(("table", "model"), tables(), ids=str)
def test_every_key_says_what_it_is_for_and_its_example_is_valid(table: str, model: type) -> None:
    for name, key in keys_of(model).items():
        assert key.about.help.endswith((".", ".)")), name
        assert len(model.__doc__ or "") > 10
        if key.about.example is not None:
            server = "" if name == "mcp" else SERVER
            pair = f"{name} = {key.about.example}\n"
            # An alert needs a name and one condition, which the key may be itself.
            others = {"name": 'name = "a"\n', "silence": 'silence = "1m"\n'}
            is_condition = name in {"error_rate", "p95", "p99", "silence", "new_error", "schema"}
            others.pop("silence" if is_condition else name, None)
            others.pop(name, None)
            alert = f"{server}[[alert]]\n{''.join(others.values())}"
            heads = {"": "", "server": f"[[server]]\n{server}", "alert": alert}
            text = f"{heads[table]}{pair}" if table in heads else f"{server}[{table}]\n{pair}"
            settings_of(text if table else f"{server}{text}")


@pytest.mark.parametrize(
    "value", ["a", 'q"\\\n\x7f', "ø\u2028", 1, True, ["a", 1], {"a b": {"c": ["d"]}, "e": {}}]
)
def test_a_value_is_written_so_that_it_reads_back(value: object) -> None:
    assert tomllib.loads(f"k = {toml(value)}")["k"] == value
