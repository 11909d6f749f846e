"""proxy/admin_guard: whose requests are answered, by name, site and token."""

import hashlib

import pytest

from mcpr.proxy.admin_guard import Access

TOKEN = "a-token-of-the-tests"
LOCAL = Access()
OPEN = Access(hashlib.sha256(TOKEN.encode()).digest(), ["MCPR.internal"], is_open=True)
ANY = Access(b"x", ["*"], is_open=True)


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("LOCALHOST:9901", True),
        ("127.0.0.1:1", True),
        ("[::1]", True),
        ("[::1]:9901", True),
        ("localhost:", False),
        ("localhost:abc", False),
        ("localhost:9901@evil.example", False),
        ("localhost.", False),
        ("::1", False),
        ("0.0.0.0", False),
        ("10.1.2.3:9901", False),
        ("evil.example", False),
        ("", False),
    ],
)
def test_on_loopback_only_loopback_names_are_ours(host: str, is_ours: bool) -> None:
    assert LOCAL.is_ours(host) == is_ours
    # A star is for an address that others reach: nobody needs it here.
    assert Access(names=["*"]).is_ours(host) == is_ours


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("mcpr.internal:9901", True),
        ("10.1.2.3:9901", True),
        ("[fd00::1]:9901", True),
        ("localhost", True),
        ("evil.example:9901", False),
        ("10.1.2.3.evil.example", False),
        ("mcpr.internal.evil.example", False),
        ("", False),
    ],
)
def test_where_others_reach_it_addresses_and_the_allowed_names_are_ours(
    host: str, is_ours: bool
) -> None:
    assert OPEN.is_ours(host) == is_ours
    assert ANY.is_ours(host) == (host != "")


@pytest.mark.parametrize(
    ("headers", "may"),
    [
        ([(b"host", b"localhost")], True),
        ([], False),
        ([(b"host", b"localhost"), (b"host", b"localhost")], False),
        ([(b"host", b"localhost"), (b"origin", b"http://localhost:9901")], True),
        ([(b"host", b"localhost"), (b"origin", b"https://evil.example")], False),
        ([(b"host", b"localhost"), (b"origin", b"null")], False),
        ([(b"host", b"localhost"), (b"origin", b"")], False),
        ([(b"host", b"evil.example")], False),
    ],
)
def test_a_page_of_another_site_gets_nothing(headers: list[tuple[bytes, bytes]], may: bool) -> None:
    assert (LOCAL.objection(headers) is None) == may


@pytest.mark.parametrize(
    ("value", "is_known"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer  {TOKEN} ", True),
        (f"Basic {TOKEN}", False),
        (TOKEN, False),
        ("Bearer", False),
        (f"Bearer {TOKEN}x", False),
        ("Bearer \xff", False),
        (None, False),
    ],
)
@pytest.mark.parametrize("path", ["/metrics", "/config", "/", "/live/../metrics", "/ready/"])
def test_the_token_opens_what_is_not_open(path: str, value: str | None, is_known: bool) -> None:
    headers = [] if value is None else [(b"authorization", value.encode("latin-1"))]
    assert OPEN.is_known(path, headers) == is_known
    assert not OPEN.is_known(path, headers * 2)
    assert LOCAL.is_known(path, headers)


@pytest.mark.parametrize("path", ["/live", "/ready"])
def test_probes_need_no_token(path: str) -> None:
    assert OPEN.is_known(path, [])


def test_nothing_shows_the_token() -> None:
    assert TOKEN not in repr(OPEN)
