"""settings/substitution: what is put into the texts of a settings file."""

from pathlib import Path

import pytest

from mcpr.settings.kinds import BadValue
from mcpr.settings.substitution import Surroundings, substitute

VARIABLES = {"NAME": "value", "EMPTY": "", "TRAP": "${NAME}"}


def put_in(text: str, folder: Path = Path("/nowhere")) -> str:
    return substitute(text, Surroundings(VARIABLES, folder)).text


TEXTS = {
    "nothing": ("plain $5 {x}", "plain $5 {x}"),
    "a variable": ("a${NAME}b${NAME}", "avaluebvalue"),
    "an empty one": ("[${EMPTY}]", "[]"),
    "a default": ("${UNSET:-d}", "d"),
    "a default that is not needed": ("${NAME:-d}", "value"),
    "a default for an empty one": ("${EMPTY:-d}", "d"),
    "an empty default": ("[${UNSET:-}]", "[]"),
    "a default with marks of its own": ("${UNSET:-a:-b$c}", "a:-b$c"),
    "the two characters": ("$${NAME} $${", "${NAME} ${"),
    "dollars": ("$$ $a $$$", "$$ $a $$$"),
    "a value that looks like one": ("${TRAP}", "${NAME}"),
}


@pytest.mark.parametrize(("text", "result"), TEXTS.values(), ids=TEXTS)
def test_marks_are_replaced_once_and_everything_else_stays(text: str, result: str) -> None:
    assert put_in(text) == result


WRONG = {
    "an unset one": ("${UNSET}", "needs the environment variable UNSET, which is not set"),
    "an open one": ("a${NAME", "has a ${ without its }"),
    "no name": ("${}", "has a ${…} that names no variable"),
    "a strange name": ("${a-b}", "has a ${…} that names no variable"),
    "another default": ("${NAME-d}", "has a ${…} that names no variable"),
}


@pytest.mark.parametrize(("text", "reason"), WRONG.values(), ids=WRONG)
def test_a_mark_that_cannot_be_replaced_says_why(text: str, reason: str) -> None:
    with pytest.raises(BadValue) as bad:
        put_in(text)
    assert bad.value.reason == reason


def test_a_file_is_put_in_without_its_last_line_end(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a b\r\n\n")
    for name in ("secret", tmp_path / "secret"):
        got = substitute(f"<${{file:{name}}}>", Surroundings({}, tmp_path))
        assert got == ("<a b>", True, True)


def test_a_file_that_cannot_be_put_in_says_why(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"a" * 65_537)
    (tmp_path / "bytes").write_bytes(b"\xff")
    for name, why in (
        ("none", "no such file or directory"),
        ("big", "more than 64 KiB"),
        ("bytes", "not UTF-8"),
        ("", "is a directory"),
        ("a\0b", "null"),
    ):
        with pytest.raises(BadValue, match=why):
            put_in(f"${{file:{name}}}", tmp_path)
