"""settings/writing: secrets never come out, wherever they came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mcpr.settings import Place, SettingsError
from mcpr.settings.document import parse_document
from mcpr.settings.fields import about
from mcpr.settings.kinds import Port
from mcpr.settings.reading import Given, read
from mcpr.settings.writing import dump, template


@dataclass(frozen=True, slots=True)
class Inner:
    """A table with secrets."""

    token: str | None = field(default=None, metadata=about("A token.", secret=True))
    headers: Mapping[str, str] = field(
        default_factory=dict, metadata=about("Headers.", secret=True, example='{ a = "b" }')
    )
    port: Port = field(default=1, metadata=about("A port that is a secret.", secret=True))
    plain: str = field(default="", metadata=about("No secret."))


@dataclass(frozen=True, slots=True)
class Made:
    """A model that is made up."""

    inner: Inner = field(default_factory=Inner, metadata=about("A table."))


def dump_of(text: str, *given: Given, folder: Path = Path()) -> str:
    return dump(read(Made, parse_document("f", text.encode(), folder), given, {})[1])


def test_a_secret_is_hidden_whatever_gave_it(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("planted")
    said = dump_of('[inner]\ntoken = "planted"\nplain = "${file:s}"\n', folder=tmp_path)
    given = Given(("inner", "token"), "planted", Place("MCPR_INNER_TOKEN", order=1))
    said += dump_of("", given)
    assert said.count('"(secret)"') == 3
    assert "planted" not in said
    assert "# MCPR_INNER_TOKEN" in said


def test_of_a_secret_table_the_names_are_shown() -> None:
    said = dump_of('[inner]\nheaders = { authorization = "planted" }\n')
    assert 'headers = { "authorization" = "(secret)" }' in said
    assert "planted" not in said
    given = Given(("inner", "headers"), "a=planted, b=planted", Place("V", order=1))
    assert '{ "a" = "(secret)", "b" = "(secret)" }' in dump_of("", given)


@pytest.mark.parametrize(
    "text",
    [
        '[inner]\nport = "planted"',
        "[inner]\ntoken = [1]\nheaders = 'planted'",
        '[inner]\nheaders = { a = "planted ${" }',
        '[inner]\ntokn = "planted"',
        "[inner]\ntoken = planted\nplain = 1",
        '[inner]\ntoken = "planted',
    ],
)
def test_no_mistake_repeats_a_secret(text: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        dump_of(text)
    assert "planted" not in str(wrong.value)
    wrong_variable = Given(("inner", "port"), "planted", Place("MCPR_INNER_PORT", order=1))
    with pytest.raises(SettingsError) as wrong:
        dump_of("", wrong_variable)
    assert "planted" not in str(wrong.value)


def test_a_key_without_default_or_example_is_explained_all_the_same() -> None:
    text = template(Made, "unused")
    assert "\n# A token.\n#\n" in text
    assert '\n#headers = { a = "b" }\n' in text
