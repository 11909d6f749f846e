"""On which line of a TOML text each key stands. `tomllib` gives values without positions.

Only for texts that `tomllib` has accepted: the scanner follows the structure and checks nothing.
Source: TOML 1.0.0.
"""

import re
import tomllib
from collections.abc import Mapping

KeyPath = tuple[str | int, ...]
"""Where a value is: keys, and the positions of items, such as ("server", 0, "limits")."""

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\r\n]+")
# In this order: the long quotes begin like the short ones.
_STRINGS = tuple(
    re.compile(form, re.DOTALL)
    for form in (
        r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*?"{3,5}',
        r"'''(?:[^']|'{1,2}(?!'))*?'{3,5}",
        r'"(?:[^"\\\n]|\\.)*"',
        r"'[^'\n]*'",
    )
)


def lines_of(text: str) -> Mapping[KeyPath, int]:
    """The line, counted from 1, of every key, table and item of a valid TOML text.

    A table that is named in several places, or only within longer names, has its first line.
    """
    return _Scanner(text).scan()


class _Scanner:
    """One walk over a text. at: how far it is."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self._items: dict[KeyPath, int] = {}
        self._line = 1
        self._counted = 0

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self._takes("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self.lines

    def _header(self) -> KeyPath:
        is_item = self._takes("[")
        line = self._here()
        names = self._key()
        self._takes("]")
        if is_item:
            self._takes("]")
        path: KeyPath = ()
        for name in names[:-1]:
            path = self._within((*path, name), line)
        path = (*path, names[-1])
        if not is_item:
            return self._within(path, line)
        self.lines.setdefault(path, line)
        number = self._items.get(path, -1) + 1
        self._items[path] = number
        self.lines[*path, number] = line
        return (*path, number)

    def _within(self, path: KeyPath, line: int) -> KeyPath:
        """Note the table; if it is an array of tables, its last item is meant."""
        self.lines.setdefault(path, line)
        return (*path, self._items[path]) if path in self._items else path

    def _pair(self, table: KeyPath) -> None:
        line = self._here()
        path = table
        for name in self._key():
            path = (*path, name)
            self.lines.setdefault(path, line)
        self._takes("=")
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> list[str]:
        names = []
        while True:
            self._skip(_SPACE)
            if self.text[self.at] in "\"'":
                quoted = self._string()
                names.append(str(tomllib.loads(f"k={quoted}")["k"]))
            else:
                names.append(self._skip(_BARE))
            self._skip(_SPACE)
            if not self._takes("."):
                return names

    def _value(self, path: KeyPath) -> None:
        opened = self.text[self.at]
        if opened == "[":
            self._array(path)
        elif opened == "{":
            self._inline(path)
        elif opened in {'"', "'"}:
            self._string()
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._takes("[")
        number = 0
        while True:
            self._skip(_BLANK)
            if self._takes("]"):
                return
            self.lines[*path, number] = self._here()
            self._value((*path, number))
            number += 1
            self._skip(_BLANK)
            self._takes(",")

    def _inline(self, path: KeyPath) -> None:
        self._takes("{")
        while True:
            self._skip(_BLANK)
            if self._takes("}"):
                return
            self._pair(path)
            self._skip(_BLANK)
            self._takes(",")

    def _string(self) -> str:
        for form in _STRINGS:
            found = form.match(self.text, self.at)
            if found is not None:
                self.at = found.end()
                return found[0]
        raise AssertionError("tomllib accepted a string that does not end")

    def _takes(self, mark: str) -> bool:
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def _skip(self, form: re.Pattern[str]) -> str:
        found = form.match(self.text, self.at)
        if found is None:
            raise AssertionError(f"tomllib accepted what is no TOML at {self.at}")
        self.at = found.end()
        return found[0]

    def _here(self) -> int:
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line
