"""`${VAR}`, `${VAR:-default}` and `${file:/path}` in the texts of a settings file.

`$${` writes `${`; any other `$` is itself. What was put in is not looked at again.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mcpr.settings.files import read_file
from mcpr.settings.kinds import BadValue

_MOST_BYTES = 65_536
_MARK = re.compile(r"\$(\$)?\{(?:(?P<inner>[^{}]*)\})?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Surroundings(NamedTuple):
    """Where values come from. folder: what a relative path of `${file:…}` starts at."""

    variables: Mapping[str, str]
    folder: Path


class Substituted(NamedTuple):
    """A text after it. is_foreign: something was put in. is_secret: from a file."""

    text: str
    is_foreign: bool
    is_secret: bool


def substitute(text: str, around: Surroundings) -> Substituted:
    """The text with everything put in. Raises BadValue for the first thing that cannot be."""
    if "${" not in text:
        return Substituted(text, is_foreign=False, is_secret=False)
    foreign = [found["inner"] for found in _MARK.finditer(text) if not found[1]]

    def put_in(found: re.Match[str]) -> str:
        if found[1]:
            return found[0][1:]
        inner = found["inner"]
        if inner is None:
            raise BadValue(
                "has a ${ without its }", "close it, or write $${ for the two characters"
            )
        kind, colon, path = inner.partition(":")
        return (
            _file(around.folder / Path(path).expanduser())
            if (kind == "file" and colon and not path.startswith("-"))
            else _variable(inner, around.variables)
        )

    result = _MARK.sub(put_in, text)
    is_secret = any(inner and inner.startswith("file:") for inner in foreign)
    return Substituted(result, bool(foreign), is_secret)


def _variable(inner: str, variables: Mapping[str, str]) -> str:
    name, dash, default = inner.partition(":-")
    if _NAME.fullmatch(name) is None:
        raise BadValue(
            "has a ${…} that names no variable",
            "write ${NAME}, ${NAME:-default} or ${file:/path}, and $${ for the two characters",
            is_quotable=not dash,
        )
    value = variables.get(name)
    if dash:
        return value or default
    if value is None:
        raise BadValue(
            f"needs the environment variable {name}, which is not set",
            f"set it, or give a default with ${{{name}:-default}}",
        )
    return value


def _file(path: Path) -> str:
    step = "name a file that mcpr can read, with the value and nothing else in it"
    try:
        content = read_file(path, _MOST_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadValue(f"needs the file {path}: {reason.lower()}", step) from None
    if content is None:
        raise BadValue(f"needs the file {path}, which has more than 64 KiB", step)
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadValue(f"needs the file {path}, which is not UTF-8", step) from None
