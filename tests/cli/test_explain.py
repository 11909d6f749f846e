"""cli/explain: every error code has its words and its page, and no page is left over."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest
from tests.cli.asking import ask, golden

from mcpr import errors
from mcpr.cli.explain import catalogue, page
from mcpr.dataplane.handler import Ending
from mcpr.errors import Exit, McprError
from mcpr.settings import SettingsError

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs/reference/errors"
CODE = re.compile(r"[a-z]+\.[a-z_]+")
#: How an exchange ends without an answer of ours.
SILENT = {"complete", "gone", "stopped"}
#: What the codes begin with, answers and the catch-all apart.
ROOMS = {code.partition(".")[0] for code in catalogue()} - {"http", "mcpr"}


def codes_in_source() -> set[str]:
    """Every string of the source that is built like a code of ours, and stands as one."""
    return {
        node.value
        for path in (ROOT / "src/mcpr").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and CODE.fullmatch(node.value)
        and node.value.partition(".")[0] in ROOMS
        and _is_code(path, node.value)
    }


def _is_code(path: Path, text: str) -> bool:
    """Not the key of a setting nor the name of a file."""
    inner = path.relative_to(ROOT / "src/mcpr").parts
    return "settings" not in inner and not text.endswith((".db", ".py", ".toml", ".sql"))


def all_classes(base: type[McprError]) -> set[type[McprError]]:
    return {base}.union(*map(all_classes, base.__subclasses__()))


def test_every_code_has_its_words_and_every_word_its_code() -> None:
    answers = {f"http.{ending}" for ending in {*get_args(Ending)} - SILENT}
    classes = {kind.code for kind in all_classes(McprError)} | {SettingsError.code}
    assert codes_in_source() | answers | classes == set(catalogue())


def test_every_code_has_its_page_and_no_page_is_left_over() -> None:
    """`scripts/error_pages.py` writes them."""
    assert {path.stem: path.read_text() for path in PAGES.glob("*")} == {
        code: page(code) for code in catalogue()
    }


def test_a_code_is_explained_as_in_its_golden_file() -> None:
    assert ask("explain", "store.locked") == (Exit.OK, golden("explain.txt"), "")


@pytest.mark.parametrize("word", ["unreachable", "http.unreachable", "[HTTP.unreachable]"])
def test_the_value_of_the_header_is_a_code_too(word: str) -> None:
    assert "the MCP server cannot be reached" in ask("explain", word).out


def test_without_a_code_all_are_listed() -> None:
    assert len(ask("explain").out.splitlines()) == len(catalogue())


@pytest.mark.parametrize(("word", "hint"), [("store.lokced", "store.locked"), ("x", "lists them")])
def test_an_unknown_code_gets_the_nearest_one(word: str, hint: str) -> None:
    answer = ask("explain", word)
    assert answer.code == Exit.USAGE
    assert hint in answer.err


def test_an_error_ends_with_its_code(tmp_path: Path) -> None:
    answer = ask("tools", "--db", tmp_path / "none.db")
    assert answer.err.endswith(" [store.missing]\n")


def test_an_error_keeps_its_class_code_unless_it_has_its_own() -> None:
    assert errors.StoreError("a", "b", "c").code == "store.failed"
    assert errors.StoreError("a", "b", "c", "store.full").code == "store.full"
    assert errors.McprError("a", "b", "c").code == "mcpr.failed"
