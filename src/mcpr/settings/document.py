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
        _refuse(name, f"it cannot be read: {reason.lower()}", "mend its permissions")
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
            mistakes.append(_mistake(name, 1, "it nests too deep", "nest less"))
        except ValueError as error:
            line, reason = _where(str(error), rows)
            mistakes.append(_mistake(name, line, reason, _STEP))
            is_one_line = rows[line - 1].strip() and not reason.startswith("unclosed")
            if is_one_line and len(mistakes) < _MOST_BAD_LINES:
                _leave_out(rows, line)
                continue
        return Document(name, folder, {}, {}, tuple(mistakes), len(rows))
    return Document(name, folder, data, lines, tuple(mistakes), len(rows))


def _where(message: str, rows: list[str]) -> tuple[int, str]:
    """Line and reason of what tomllib says. Its later versions say more, in other places."""
    reason, _, _ = message.partition(" (at ")
    found = re.search(r"\(at line (\d+), column \d+\)", message)
    if found:
        line = int(found[1])
    elif "(at end of document)" in message:
        line = max((number for number, row in enumerate(rows, 1) if row.strip()), default=1)
    else:  # A number of thousands of digits.
        line = max(range(1, len(rows) + 1), key=lambda number: len(rows[number - 1]))
        reason = "a number has too many digits"
    return min(line, len(rows)), reason[:1].lower() + reason[1:]


def _leave_out(rows: list[str], line: int) -> None:
    """Empty the line; if it is a table's head, all that would be in that table, too."""
    is_head = rows[line - 1].lstrip().startswith("[")
    rows[line - 1] = ""
    while is_head and line < len(rows) and not rows[line].lstrip().startswith("["):
        rows[line] = ""
        line += 1


def _mistake(name: str, line: int, reason: str, step: str) -> Mistake:
    return Mistake(Place(name, line), "", reason, step)


def _refuse(name: str, reason: str, step: str, line: int | None = None) -> NoReturn:
    raise SettingsError([Mistake(Place(name, line), "", reason, step)]) from None
