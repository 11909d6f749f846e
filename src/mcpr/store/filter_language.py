"""The words in which people say which requests they mean: `tool:get_weather status:error`.

Words are separated by blanks; each is `name:value`, a value with blanks stands in double quotes.
All of them must hold. The console, the JSON API and `mcpr logs` read the same language.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Final

from mcpr.errors import UsageError
from mcpr.events import KINDS, OUTCOMES
from mcpr.store.engine import Filter

_WORD: Final = re.compile(
    r'\s*(?P<name>[A-Za-z_]*):(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]*))(?=\s|$)'
)
_LATENCY: Final = re.compile(
    r"(?P<sign>>=|<=|>|<)?(?P<number>[0-9]{1,9}(?:\.[0-9]{1,3})?)(?P<unit>us|µs|ms|s|m)"
)
_UNITS_US: Final = {"us": 1, "µs": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000}
_STEP: Final = "write words such as tool:get_weather status:error client:claude latency:>500ms"

#: What there is to say, and an example of each.
WORDS: Final[Mapping[str, str]] = {
    "server": "server:weather",
    "tool": "tool:get_weather",
    "method": "method:tools/call",
    "kind": "kind:rpc",
    "status": "status:error",
    "client": "client:claude",
    "latency": "latency:>500ms",
    "session": "session:ab12",
    "id": "id:0198",
}


def read_filter(text: str, where: Filter | None = None) -> Filter:
    """The filter that the words mean, added to `where`. Raises UsageError.

    A word that is said twice must say the same twice, but `latency`, which bounds once from below
    and once from above.
    """
    base = where or Filter()
    said: dict[str, object] = {}
    for name, value in _words(text):
        read = _READERS.get(name)
        if read is None:
            meant = difflib.get_close_matches(name, WORDS, 1)
            guess = f", probably {meant[0]}: is meant" if meant else ""
            raise _wrong(text, f"there is no word {name}:{guess}", f"words are {', '.join(WORDS)}")
        for key, each in read(value, text).items():
            if said.get(key, each) != each:
                raise _wrong(text, f"{name}: is said twice, and differently", "leave one out")
            said[key] = each
    known = {field.name for field in fields(Filter)}
    assert said.keys() <= known
    return replace(base, **said)  # type: ignore[arg-type]  # each reader gives its field's type


def _words(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        word = _WORD.match(text, at)
        if word is None:
            rest = text[at:].split(maxsplit=1)[0]
            raise _wrong(text, f"{rest!r} is no name:value", _STEP)
        value = word["bare"] if word["quoted"] is None else word["quoted"]
        if not value:
            raise _wrong(text, f"{word['name']}: says nothing", _STEP)
        yield word["name"].lower(), value
        at = word.end()


_Read = Callable[[str, str], dict[str, object]]


def _plain(key: str) -> _Read:
    return lambda value, _: {key: value}


def _kind(value: str, text: str) -> dict[str, object]:
    if value not in KINDS:
        raise _wrong(text, f"there is no kind {value!r}", f"kinds are {', '.join(KINDS)}")
    return {"kind": value}


def _status(value: str, text: str) -> dict[str, object]:
    if value == "error":
        return {"errors_only": True}
    if value not in OUTCOMES:
        raise _wrong(
            text, f"there is no status {value!r}", f"write error, or one of {', '.join(OUTCOMES)}"
        )
    return {"outcome": value}


def _latency(value: str, text: str) -> dict[str, object]:
    found = _LATENCY.fullmatch(value)
    if found is None:
        raise _wrong(
            text, f"{value!r} is no latency", "write it like latency:>500ms or latency:<=2s"
        )
    us = _us(found)
    bounds: dict[str | None, dict[str, object]] = {
        ">": {"min_us": us + 1},
        ">=": {"min_us": us},
        "<": {"max_us": us - 1},
        "<=": {"max_us": us},
        None: {"min_us": us},
    }
    return bounds[found["sign"]]


def read_latency_us(text: str) -> int | None:
    """Microseconds of a latency such as `500ms`; None when it is none."""
    found = _LATENCY.fullmatch(text)
    return None if found is None or found["sign"] else _us(found)


def _us(found: re.Match[str]) -> int:
    return round(float(found["number"]) * _UNITS_US[found["unit"]])


_READERS: Final[Mapping[str, _Read]] = {
    **{name: _plain(name) for name in ("server", "tool", "method", "client", "session", "id")},
    "kind": _kind,
    "status": _status,
    "outcome": _status,
    "latency": _latency,
}


def _wrong(text: str, why: str, step: str) -> UsageError:
    return UsageError(f"cannot read the filter {text!r}", why, step)
