"""cli/help: the same words as --help, however deep, and the nearest name of a misspelt one."""

import pytest
from tests.cli.asking import ask

from mcpr.errors import Exit


@pytest.mark.parametrize("name", ["", "logs", "store", "store vacuum", "help"])
def test_it_says_what_the_option_says(name: str) -> None:
    assert ask("help", *name.split()) == ask(*name.split(), "--help")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lgos", "Did you mean 'logs'?"),
        ("store vacum", "Did you mean 'vacuum'?"),
        ("logs deep", "mcpr logs has no command 'deep'."),
        ("-x", "-x"),
    ],
)
def test_a_name_that_is_none_is_told(name: str, words: str) -> None:
    answer = ask("help", *name.split())
    assert (answer.code, answer.out) == (Exit.USAGE, "")
    assert words in answer.err
