"""settings/mistakes: how mistakes are told."""

import pytest

from mcpr.errors import Exit
from mcpr.settings import Mistake, Place, SettingsError
from mcpr.settings.mistakes import choices, nearest


def mistake(line: int, key: str = "k") -> Mistake:
    return Mistake(Place("f", line), key, f"reason {line}", "do this")


def test_one_mistake_is_one_line_and_several_have_a_head() -> None:
    assert SettingsError([mistake(3)]).lines == ["f:3: k: reason 3. Do this."]
    error = SettingsError([mistake(20), mistake(3), Mistake(Place("--p", order=0), "", "r", "s")])
    assert error.lines == [
        "cannot use these settings: 3 mistakes.",
        "  --p: r. S.",
        "  f:3: k: reason 3. Do this.",
        "  f:20: k: reason 20. Do this.",
    ]
    assert error.exit == Exit.USAGE


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("prot", "port"),
        ("allowed-hosts", "allowed_hosts"),
        ("Limits", "limits"),
        ("hosts", "host"),
        ("colour", None),
        ("", None),
    ],
)
def test_the_nearest_word_is_found_if_one_is_near(word: str, meant: str | None) -> None:
    assert nearest(word, ["port", "host", "allowed_hosts", "limits", "name"]) == meant


def test_choices_are_listed_as_people_do() -> None:
    assert choices(["a"]) == "a"
    assert choices("ab") == "a or b"
    assert choices("abc") == "a, b or c"
