"""The search itself: it finds a canary in every form, wherever it begins, and cut off too."""

import base64
import json
from urllib.parse import quote

import pytest
from tests.privacy.canaries import FORMS, Canaries, Finding, find_address

PLACE = "value of an argument"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("form", FORMS)
def test_a_canary_is_found_in_every_form(form: str, before: str) -> None:
    canaries = Canaries()
    text = f"{before}{canaries.plant(PLACE)} and more"
    written = {
        "plain": text.upper().encode(),
        "hex": text.encode().hex().upper().encode(),
        "percent": "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
        "json": "".join(f"\\u{ord(letter):04X}" for letter in text).encode(),
        "utf-16": text.encode("utf-16-be"),
        "base64": base64.urlsafe_b64encode(text.encode()),
    }
    assert canaries.find({"a file": b"\0" + written[form]}) == {Finding(PLACE, "a file", form)}


@pytest.mark.parametrize("end", [12, 15, 23])
def test_a_canary_that_was_cut_off_is_found(end: int) -> None:
    canaries = Canaries()
    canary = canaries.plant(PLACE)
    for part in (canary[:end], canary[-end:]):
        assert canaries.find({"a file": part.encode()}) == {Finding(PLACE, "a file", "plain")}


def test_the_usual_encoders_leave_a_canary_as_it_is() -> None:
    """So JSON, URLs and SQL need no forms of their own."""
    canary = Canaries().plant(PLACE)
    assert canary in json.dumps(canary)
    assert canary in quote(canary)
    assert canary in repr(canary)


def test_a_canary_is_told_from_all_others() -> None:
    canaries = Canaries()
    canaries.plant("another place")
    canary = canaries.plant(PLACE).encode()
    sources = {"one": b"x" + canary, "two": canary[:6], "three": b""}
    assert canaries.find(sources) == {Finding(PLACE, "one", "plain")}
    assert canaries.missing(b"x" + canary) == ["another place"]


@pytest.mark.parametrize(
    "data", [b"from 127.7.7.7:80", b"\x7f\x07\x07\x07", b"7f070707", b"2131166983", b"MTI3LjcuNy43"]
)
def test_an_address_is_found_in_every_form(data: bytes) -> None:
    assert len(find_address("127.7.7.7", {"a file": data})) == 1
    assert find_address("127.7.7.8", {"a file": data}) == set()
