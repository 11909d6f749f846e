"""Canaries: strings that stand for what nobody may keep, and the search that finds them anywhere.

A canary is 24 random letters and digits in two halves, so that a text that was cut off in it is
still found. Each half begins with the same mark: a search looks for the mark first, in every form,
and for each canary only where it found the mark.
"""

import base64
import secrets
import string
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

_ALPHABET = string.ascii_lowercase + string.digits
_MARK_SIZE = 6
_HALF_SIZE = 12

FORMS = ("plain", "hex", "percent", "json", "utf-16", "base64")


class Finding(NamedTuple):
    """What was planted at `place` stands in `source`, written as `form`."""

    place: str
    source: str
    form: str


class Canaries:
    """Makes canaries and remembers where each was planted, and where it may stand.

    planted: place → canary. local: place → the columns of the store that are for it, nearly always
    one. public: the same for what clients choose to be known by; it may stand in logs and
    envelopes, too.
    """

    def __init__(self) -> None:
        self.mark = _random(_MARK_SIZE)
        self.planted: dict[str, str] = {}
        self.local: dict[str, str] = {}
        self.public: dict[str, str] = {}

    def plant(self, place: str, *, local: str | None = None, public: str | None = None) -> str:
        """A new canary for that place; each place has one."""
        assert place not in self.planted, f"{place} has its canary"
        if local is not None:
            self.local[place] = local
        if public is not None:
            self.public[place] = public
        canary = "".join(self.mark + _random(_HALF_SIZE - _MARK_SIZE) for _ in range(2))
        self.planted[place] = canary
        return canary

    def find(self, sources: Mapping[str, bytes]) -> set[Finding]:
        """Every canary that stands in one of the sources, in whatever form."""
        return {
            Finding(place, source, form)
            for source, data in sources.items()
            for hay in (Haystack(data),)
            for form in self._forms_in(hay)
            for place, canary in self.planted.items()
            if hay.holds(form, canary[:_HALF_SIZE]) or hay.holds(form, canary[_HALF_SIZE:])
        }

    def missing(self, data: bytes) -> list[str]:
        """The places whose canary does not stand in these bytes, as it was planted."""
        return [place for place, canary in self.planted.items() if canary.encode() not in data]

    def _forms_in(self, hay: "Haystack") -> Iterator[str]:
        return (form for form in FORMS if hay.holds(form, self.mark))


class Haystack:
    """Bytes to look for words in. Upper and lower case are the same, but not in base64."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @cached_property
    def _folded(self) -> bytes:
        return self._data.lower()

    def holds(self, form: str, word: str) -> bool:
        """Whether the word (lower case) stands here in that form."""
        data = self._data if form == "base64" else self._folded
        return any(pattern in data for pattern in patterns(form, word))


def patterns(form: str, word: str) -> Iterable[bytes]:
    """What to look for when a word may have been written in that form, wherever it began."""
    data = word.encode()
    match form:
        case "plain":
            return (data,)
        case "hex":
            return (data.hex().encode(),)
        case "percent":
            return ("".join(f"%{byte:02x}" for byte in data).encode(),)
        case "json":
            return ("".join(f"\\u{byte:04x}" for byte in data).encode(),)
        case "utf-16":
            # Without the last byte it is found in both byte orders.
            return (word.encode("utf-16-le")[:-1],)
        case "base64":
            return {
                code[skipped : (len(before) + len(data)) * 8 // 6]
                for before, skipped in ((b"", 0), (b"-", 2), (b"--", 3))
                for encode in (base64.b64encode, base64.urlsafe_b64encode)
                for code in (encode(before + data),)
            }
    raise AssertionError(f"no such form: {form}")


def address_forms(address: str) -> dict[str, bytes]:
    """How an IPv4 address may be written: form → bytes."""
    packed = bytes(map(int, address.split(".")))
    return {
        "plain": address.encode(),
        "packed": packed,
        "hex": packed.hex().encode(),
        "number": str(int.from_bytes(packed, "big")).encode(),
        "base64": base64.b64encode(address.encode()).rstrip(b"="),
    }


def find_address(address: str, sources: Mapping[str, bytes]) -> set[Finding]:
    """Where an IPv4 address of a client stands."""
    return {
        Finding("address of the client", source, form)
        for source, data in sources.items()
        for form, pattern in address_forms(address).items()
        if pattern in data
    }


def _random(size: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(size))
