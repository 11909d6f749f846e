"""settings/document: files that cannot be read, and texts that are no TOML."""

import os
from pathlib import Path

import pytest
from tests.settings.reading import SERVER

from mcpr.settings import SettingsError
from mcpr.settings.document import Document, parse_document, read_document


def refusal(path: Path) -> str:
    with pytest.raises(SettingsError) as refused:
        read_document(path)
    (mistake,) = refused.value.mistakes
    return str(mistake).replace(f"{path}", "FILE")


def parsed(content: str | bytes) -> Document:
    content = content.encode() if isinstance(content, str) else content
    return parse_document("f", content, Path())


def said(content: str) -> list[str]:
    return [str(mistake) for mistake in parsed(content).mistakes]


def test_a_file_that_is_not_there_is_offered_to_be_written(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path / "x") == "FILE: there is no such file. Write one with `mcpr init FILE`."
    )


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "FILE: is a folder. Name the file in it."


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "f").symlink_to("f")
    assert "FILE: it cannot be read: too many levels" in refusal(tmp_path / "f")


def test_ten_megabytes_are_no_settings(tmp_path: Path) -> None:
    path = tmp_path / "big"
    with path.open("wb") as file:
        os.ftruncate(file.fileno(), 10_000_000)
    assert "it has more than 1 MiB" in refusal(path)


def test_a_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b'port = 1\nname = "\xff"\n')
    assert refusal(path) == "FILE:2: this line is not UTF-8. Save the file as UTF-8."
    path.write_bytes("port = 1\n".encode("utf-16"))
    assert "FILE:1: this line is not UTF-8" in refusal(path)


def test_a_byte_order_mark_and_line_ends_of_windows_do_no_harm() -> None:
    document = parsed(b"\xef\xbb\xbfport = 1\r\n\r\n[log]\r\nform = 'json'\r\n")
    assert document.data == {"port": 1, "log": {"form": "json"}}
    assert document.lines["log", "form"] == 4


NO_VALUE = "the value is no text in quotes"
NO_TOML = {
    "no value": ("a = 1\nb =\n", [f"f:2: b: {NO_VALUE}"]),
    "no quotes": ("a = hello\nb = 1\n", [f"f:1: a: {NO_VALUE}"]),
    "half a number": ("a = 1\nb = 30s\n", ["f:2: b: there is something behind the value"]),
    "no equals": ("a\nb = 1", ["f:1: there is no = behind the key. Write key = value."]),
    "an open quote": ('a = "b\nc = 1', ["f:1: a: the text is not closed"]),
    "an open list": ("a = [1\nb = 2\nc = 3", ["f:2: b: a list above is not closed"]),
    "an open head": ("[a\nb = 1\n[c]\nd = 1", ["f:1: expected ']'"]),
    "a key twice": ("a = 1\nb = 1\na = 2\n", ["f:3: a: it is there already. Keep one of the two."]),
    "a table twice": ("[a]\nb = 1\n[a]\nb = 2\nc = \n[d]\n", ["f:3: this table is there already"]),
    "a key in a list twice": ("a = {b = 1, b = 2}", ["f:1: a: a key of this table is there twice"]),
    "two of them": ("a = b\nc = 1\nd = e\n", [f"f:1: a: {NO_VALUE}", f"f:3: d: {NO_VALUE}"]),
    "too deep": ("a = " + "[" * 5000, ["f:1: it has lists or tables in one another"]),
    "too many digits": ("b = 2\na = " + "1" * 5000, ["f:2: a: a number has too many digits"]),
}


@pytest.mark.parametrize(("text", "begins"), NO_TOML.values(), ids=NO_TOML)
def test_what_is_no_toml_is_named_with_its_line_and_the_rest_is_read(
    text: str, begins: list[str]
) -> None:
    mistakes = said(text)
    assert len(mistakes) == len(begins)
    for mistake, beginning in zip(mistakes, begins, strict=True):
        assert mistake.startswith(beginning)


def test_what_stands_beside_a_bad_line_is_still_read() -> None:
    document = parsed(f"{SERVER}port = ?\n[log]\nform = 'json'\n")
    assert document.data["log"] == {"form": "json"}
    assert not document.is_whole


def test_a_text_of_nothing_but_bad_lines_ends() -> None:
    assert len(parsed("?\n" * 1000).mistakes) == 20
