"""protocol/http1/forms: a head fits a form exactly when it is taken apart in the same way."""

from random import Random

import pytest
from tests.protocol.size import IS_FULL

from mcpr.protocol.http1 import Form, split_request

HEAD = (
    b"POST /mcp HTTP/1.1\r\nHost: a\r\ntraceparent: 00-%b-01\r\nAccept: */*\r\n"
    b"Content-Length: %b\r\nUser-Agent: x\r\n\r\n"
)
LAST = b"GET /mcp HTTP/1.1\r\nHost: a\r\nx-request-id: %b\r\nCookie: %b\r\n\r\n"


def form_of(head: bytes) -> Form[int]:
    form: Form[int] | None = Form.of(split_request(head))
    assert form is not None
    return form


@pytest.mark.parametrize("template", [HEAD, LAST], ids=["between", "last"])
def test_a_head_that_differs_in_its_values_only_fits(template: bytes) -> None:
    form = form_of(template % (b"abc", b"12"))
    values = form.values((template % (b"d-9", b"7"))[:-4])
    assert values is not None
    assert values[-1] == b"7"
    assert b"d-9" in values[0]


def test_the_length_is_told_apart_from_the_other_lines() -> None:
    form = form_of(HEAD % (b"abc", b"12"))
    values = [b"00-d-01", b"7"]
    assert form.length(values) == b"7"
    assert form.other_lines(values) == b"traceparent: 00-d-01\r\n"
    without = form_of(LAST % (b"a", b"b"))
    assert without.length([b"a", b"b"]) == b""
    assert without.other_lines([b"a", b"b"]) == b"x-request-id: a\r\nCookie: b\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nCookie:\tx\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nCookie: x \r\n\r\n",
    ],
    ids=["nothing changes", "two lengths", "a tab before the value", "a blank after it"],
)
def test_some_heads_have_no_form(head: bytes) -> None:
    assert Form.of(split_request(head)) is None


def test_a_head_fits_exactly_if_it_is_taken_apart_in_the_same_way() -> None:
    """Random changes of a head: whatever fits has the same pieces and names for the parser."""
    chance = Random(7)
    bytes_in = b"\r\n:,- \ta0\x00\x7f\xe9" + HEAD
    fitting = 0
    for template in [HEAD, LAST] * (20_000 if IS_FULL else 3_000):
        parts = split_request(template % (b"ab-9", b"12"))
        form: Form[int] | None = Form.of(parts)
        assert form is not None
        head = bytearray(template % (b"cd-8", b"345"))[:-4]
        for _ in range(chance.randint(0, 3)):
            at = chance.randrange(len(head))
            head[at : at + chance.randint(0, 2)] = chance.choices(bytes_in, k=chance.randint(0, 2))
        values = form.values(bytes(head)) if b"\r\n\r\n" not in head else None
        if values is None:
            continue
        fitting += 1
        again = split_request(bytes(head) + b"\r\n\r\n")
        assert again[::2] == parts[::2]
        names = [line.partition(b": ") for line in again[1::2]]
        assert [name for name, _, _ in names] == [x.partition(b": ")[0] for x in parts[1::2]]
        assert [value for _, _, value in names] == values
    assert fitting > 1_000


def test_a_form_shows_no_bytes_of_a_head() -> None:
    assert repr(form_of(LAST % (b"a", b"secret"))) == "<Form 2 lines change, 0 plans>"
