"""proxy/admin_bind: what --admin means."""

import hashlib

import pytest

from mcpr.errors import UsageError
from mcpr.proxy.admin_bind import DEFAULT_PORT, admin_bind
from mcpr.proxy.frames import AdminBind


def test_without_a_word_it_is_the_default_or_a_port_after_it() -> None:
    bind = admin_bind(None)
    assert bind is not None
    assert (bind.host, bind.port) == ("127.0.0.1", DEFAULT_PORT)
    assert bind.tries > 1


def test_off_is_off() -> None:
    assert admin_bind("off") is None


@pytest.mark.parametrize(
    ("text", "bind"),
    [
        ("9901", AdminBind("127.0.0.1", 9901, 1)),
        ("127.0.0.1:9901", AdminBind("127.0.0.1", 9901, 1)),
        ("localhost:7000", AdminBind("127.0.0.1", 7000, 1)),
        ("[::1]:7000", AdminBind("::1", 7000, 1)),
        ("127.0.0.1:0", AdminBind("127.0.0.1", 0, 1)),
    ],
)
def test_a_named_address_is_taken_as_it_is_and_no_other(text: str, bind: AdminBind) -> None:
    assert admin_bind(text) == bind


@pytest.mark.parametrize("text", ["0.0.0.0:9901", "192.168.1.5:80", "[::]:9901"])
def test_an_address_that_others_can_reach_is_refused_with_another_way(text: str) -> None:
    with pytest.raises(UsageError, match=r"--admin 127\.0\.0\.1"):
        admin_bind(text)


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(UsageError, match="not an address"):
        admin_bind("yes please")


@pytest.mark.parametrize("text", ["0.0.0.0:9901", "[::]:9901"])
def test_with_a_token_others_may_reach_it_and_nothing_shows_the_token(text: str) -> None:
    bind = admin_bind(text, "a-token-of-the-tests", {"mcpr.internal"})
    assert bind is not None
    assert (bind.tries, bind.names) == (1, ["mcpr.internal"])
    assert bind.token_hash == hashlib.sha256(b"a-token-of-the-tests").digest()
    assert "token" not in repr(bind)
