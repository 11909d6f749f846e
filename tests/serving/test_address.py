"""serving/address: addresses as people write them, and binding them."""

import contextlib
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpr.errors import McprError, UsageError
from mcpr.serving import Address, bind, bound, parse


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9901", Address("127.0.0.1", 9901)),
        (":9901", Address("127.0.0.1", 9901)),
        ("127.0.0.1:0", Address("127.0.0.1", 0)),
        ("localhost:80", Address("127.0.0.1", 80)),
        ("0.0.0.0:65535", Address("0.0.0.0", 65_535)),
        ("[::1]:9901", Address("::1", 9901)),
        ("[0:0::1]:9901", Address("::1", 9901)),
    ],
)
def test_an_address_is_a_port_or_a_literal_and_a_port(text: str, address: Address) -> None:
    assert parse(text) == address


@pytest.mark.parametrize(
    "text",
    ["", "example.com:80", "127.0.0.1", "127.0.0.1:65536", "::1:80", "1.2.3:80", "[::1]", "a:b"],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:9901"):
        parse(text)


@given(st.ip_addresses(), st.integers(0, 65_535))
def test_the_text_of_an_address_reads_as_the_address(host: object, port: int) -> None:
    address = Address(str(host), port)
    assert parse(str(address)) == address


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert parse(text).port <= 65_535


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:10.0.0.1", False),
        ("0.0.0.0", False),
        ("::", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host: str, is_loopback: bool) -> None:
    assert Address(host, 1).is_loopback == is_loopback


def test_the_url_of_an_ipv6_address_has_brackets() -> None:
    assert Address("::1", 9901).url == "http://[::1]:9901"


def test_a_bound_socket_takes_connections() -> None:
    with bind(Address("127.0.0.1", 0)) as listener:
        address = bound(listener)
        socket.create_connection((address.host, address.port), timeout=5).close()


def test_a_taken_port_is_refused_when_it_was_asked_for() -> None:
    with bind(Address("127.0.0.1", 0)) as taken, pytest.raises(McprError, match="port is taken"):
        bind(bound(taken))


def test_a_taken_port_is_passed_over_when_others_will_do() -> None:
    with bind(Address("127.0.0.1", 0)) as taken:
        first = bound(taken)
        with bind(first, tries=50) as other:
            assert first.port < bound(other).port < first.port + 50


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(McprError, match=r"cannot listen on 192\.0\.2\.1:80"):
        bind(Address("192.0.2.1", 80))
