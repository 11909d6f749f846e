"""What a definition says to a model and hides from people: characters that do not show, and orders.

Definitions are read by models as if their user had written them. Nothing is proven here; a
suspicion is a reason for a person to look.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

#: What a suspicion may be. The words stand in docs/reference/schema-verdicts.md.
KINDS: Final = ("zero-width", "bidi", "tag", "control", "look-alike", "instruction")
MAX_SUSPICIONS: Final = 20
_MAX_DEPTH: Final = 64
_MAX_PATH: Final = 120

_ZERO_WIDTH = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u2060-\u2064\u3164\ufeff\uffa0]"
)
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TAG = re.compile("[\U000e0000-\U000e01ef]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb]")
#: Joiners that letters of some scripts and composed emoji need: between these they hide nothing.
_JOINED = re.compile(
    "(?<=[\u0600-\u06ff\u0900-\u0dff\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])[\u200c\u200d]"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
#: Scripts whose letters pass for Latin ones.
_LOOK_ALIKE = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH", "MATHEMATICAL")
#: Orders to the model that no description of a tool needs. Folded, blanks as one.
_ORDERS: Final = (
    (
        r"(ignore|disregard|forget|override) (?:(?:all|any|the|your|every) ){0,3}"
        r"(previous|prior|above|earlier|other|system|safety)[a-z, ]{0,40}"
        r" (instruction|prompt|message|rule|guideline|tool)"
    ),
    (
        r"(do not|don't|never|without) (tell|inform|mention|reveal|notify|show|alert)(ing|ying)?"
        r"[a-z ]{0,40} (user|human)"
    ),
    r"(before|prior to) (using|calling|invoking|running) (this|any|any other|other) tool",
    r"(instead of|rather than) (using |calling )?(the |any )?other tool",
    r"(system|developer) (prompt|message|instruction)s?\b",
    r"<\s{0,9}/?\s{0,9}(important|system|instruction|secret|hidden|admin|assistant)[a-z_]{0,20}>",
    (
        r"(you must|always|first|make sure to|be sure to) (read|send|include|pass|provide|attach"
        r"|append|copy|upload)[^.]{0,80}(file|key|token|credential|password|secret|conversation|history)"
    ),
    r"(id_rsa|id_ed25519|\.ssh/|\.aws/credentials|/etc/passwd|\.env\b)",
    r"(act|behave|respond) as (if|though) ",
    r"you are now ",
)
_ORDER = re.compile("|".join(f"(?:{order})" for order in _ORDERS))
#: Longer texts are looked at in their beginning and their end.
_MAX_TEXT: Final = 20_000


def suspicions(value: Any) -> tuple[str, ...]:
    """What is suspicious in a definition, as "kind path"; at most MAX_SUSPICIONS, each once."""
    found: dict[str, None] = {}
    for path, text, is_name in _texts(value, "", 0):
        for kind in _kinds(text, is_name=is_name):
            found[f"{kind} {path or '(name)'}"] = None
            if len(found) >= MAX_SUSPICIONS:
                return tuple(found)
    return tuple(found)


def _kinds(text: str, *, is_name: bool) -> Iterator[str]:
    if not text.isascii():
        if _ZERO_WIDTH.search(_JOINED.sub("", text)):
            yield "zero-width"
        if _BIDI.search(text):
            yield "bidi"
        if _TAG.search(text):
            yield "tag"
        if any(_is_mixed(word) for word in _WORD.findall(_part(text))):
            yield "look-alike"
    if _CONTROL.search(text):
        yield "control"
    if not is_name and _ORDER.search(_plain(text)):
        yield "instruction"


def _part(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]} {text[-_MAX_TEXT:]}"


def _plain(text: str) -> str:
    """The text as a model reads it: without what does not show, in one case and spacing."""
    text = _part(text)
    if not text.isascii():
        text = "".join(
            chr(ord(char) - 0xE0000) if "\U000e0020" <= char <= "\U000e007e" else char
            for char in text
        )
        text = unicodedata.normalize("NFKC", _ZERO_WIDTH.sub("", _BIDI.sub("", text)))
    return " ".join(text.casefold().replace("\u2019", "'").split())


def _is_mixed(word: str) -> bool:
    """Whether Latin letters stand in one word with some that look like them."""
    if word.isascii():
        return False
    scripts = {_script(char) for char in word}
    return "LATIN" in scripts and len(scripts & {*_LOOK_ALIKE}) > 0


def _script(char: str) -> str:
    if char.isascii():
        return "LATIN"
    return unicodedata.name(char, "").partition(" ")[0]


def _texts(value: Any, path: str, depth: int) -> Iterator[tuple[str, str, bool]]:
    """Every text of a definition, with its place; keys are names."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, str):
        yield path, value, False
    elif isinstance(value, dict):
        for key, inner in value.items():
            place = f"{path}.{key}" if path else key
            yield place[:_MAX_PATH], key, True
            yield from _texts(inner, place[:_MAX_PATH], depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, path, depth + 1)
