"""A settings file as it is: its values, the line of each, and what is wrong with the text itself.

After a line that is no TOML the rest is still read, so that one run names every mistake.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from mcpr.settings.files import read_file
from mcpr.settings.mistakes import Mistake, Place, SettingsError
from mcpr.settings.places import KeyPath, lines_of

_MOST_BYTES = 1024 * 1024
_MOST_BAD_LINES = 20
_BOM = "\ufeff"
_STEP = "a line is key = value, with texts in quotes, or the [name] of a table"
_AGAIN = "keep one of the two"
#: What tomllib says, by its beginning → reason and next step for whoever has never read of TOML.
_WORDS = {
    "Cannot overwrite a value": ("it is there already", _AGAIN),
    "Duplicate inline table key": ("a key of this table is there twice", _AGAIN),
    "Cannot declare": ("this table is there already", "put all its keys below one head"),
    "Cannot mutate": ("this table is there already", "put all its keys below one head"),
    "Illegal character '\\n'": ("the text is not closed", "end it as it began, with a quote"),
    "Invalid value": (
        "the value is no text in quotes, no number, no true or false, no list",
        'put texts in quotes, such as name = "value"',
    ),
    "Expected '=' after a key": ("there is no = behind the key", "write key = value"),
    "Unclosed array": ("a list above is not closed", "close it with ]"),
    "Expected newline": (
        "there is something behind the value",
        "put texts in quotes, and each key in a line of its own",
    ),
}
_KEY = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=")


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read. is_whole: all of it could be; mistakes: of its text."""

    name: str
    folder: Path = field(default_factory=Path.cwd)
    data: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()
    last_line: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the file had to be left out."""
        return not self.mistakes

    def place(self, path: KeyPath) -> Place:
        """Where a key is, or the nearest thing around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return Place(self.name, self.lines.get(path, 1))


def read_document(path: Path) -> Document:
    """Read the file. Raises SettingsError when there is no text to read."""
    name = str(path)
    try:
        content = read_file(path, _MOST_BYTES)
    except IsADirectoryError:
        _refuse(name, "is a folder", "name the file in it")
    except FileNotFoundError:
        _refuse(name, "there is no such file", f"write one with `mcpr init {name}`")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        _refuse(name, f"it cannot be read: {reason.lower()}", "name a file that mcpr may read")
    if content is None:
        _refuse(name, "it has more than 1 MiB, so it is no settings file", "name another one")
    return parse_document(name, content, path.absolute().parent)


def parse_document(name: str, content: bytes, folder: Path) -> Document:
    """Read the content of a file. Raises SettingsError if it is not UTF-8."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        _refuse(name, "this line is not UTF-8", "save the file as UTF-8", line)
    # As tomllib counts, of which some versions refuse a BOM and what Windows ends lines with.
    text = text.removeprefix(_BOM).replace("\r\n", "\n")
    rows = text.split("\n")
    mistakes: list[Mistake] = []
    data: Mapping[str, Any] = {}
    while True:
        text = "\n".join(rows)
        try:
            data = tomllib.loads(text)
            lines = lines_of(text)
            break
        except RecursionError:
            deep = "it has lists or tables in one another, too many to be read"
            mistakes.append(Mistake(Place(name, 1), "", deep, "write them side by side"))
        except ValueError as error:
            line = _line_of(str(error), rows)
            row = rows[line - 1]
            mistakes.append(_mistake(name, line, row, str(error)))
            # What comes after a list that does not end cannot be told from what is in it.
            if (
                row.strip()
                and not str(error).startswith("Unclosed")
                and len(mistakes) < _MOST_BAD_LINES
            ):
                _leave_out(rows, line)
                continue
        return Document(name, folder, {}, {}, tuple(mistakes), len(rows))
    return Document(name, folder, data, lines, tuple(mistakes), len(rows))


def _line_of(message: str, rows: list[str]) -> int:
    """The line that tomllib blames. Its later versions say more, in other places."""
    found = re.search(r"\(at line (\d+), column \d+\)", message)
    if found:
        return min(int(found[1]), len(rows))
    if "(at end of document)" in message:
        return max((number for number, row in enumerate(rows, 1) if row.strip()), default=1)
    # A number of thousands of digits.
    return max(range(1, len(rows) + 1), key=lambda number: len(rows[number - 1]))


def _mistake(name: str, line: int, row: str, message: str) -> Mistake:
    """A line that is no TOML; with its key, if it has one."""
    said, at, _ = message.partition(" (at ")
    reason = said[:1].lower() + said[1:] if at else "a number has too many digits"
    step = _STEP
    for beginning, words in _WORDS.items():
        if message.startswith(beginning):
            reason, step = words
    key = _KEY.match(row)
    return Mistake(Place(name, line), key[1] if key is not None else "", reason, step)


def _leave_out(rows: list[str], line: int) -> None:
    """Empty the line; if it is a table's head, all that would be in that table, too."""
    is_head = rows[line - 1].lstrip().startswith("[")
    rows[line - 1] = ""
    while is_head and line < len(rows) and not rows[line].lstrip().startswith("["):
        rows[line] = ""
        line += 1


def _refuse(name: str, reason: str, step: str, line: int | None = None) -> NoReturn:
    raise SettingsError([Mistake(Place(name, line), "", reason, step)]) from None
