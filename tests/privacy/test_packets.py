"""privacy/packets: what is on the cable is told as what it is."""

import ipaddress
import struct

import pytest
from tests.privacy.packets import Packet, distinct, name_in, parse

HERE, THERE = "10.99.0.1", "203.0.113.7"
HERE6, THERE6 = "fd99::1", "2001:db8::7"
QUERY = bytes.fromhex("0007010000010000000000000775706461746573076578616d706c650000010001")


def ports(source: int, target: int, data: bytes = b"") -> bytes:
    return struct.pack("!HH", source, target) + bytes(4) + data


def ipv4(protocol: int, rest: bytes, options: bytes = b"") -> bytes:
    head = bytes((0x40 | (5 + len(options) // 4),)) + bytes(8) + bytes((protocol,)) + bytes(2)
    addresses = ipaddress.ip_address(HERE).packed + ipaddress.ip_address(THERE).packed
    return bytes(12) + b"\x08\x00" + head + addresses + options + rest


def ipv6(protocol: int, rest: bytes) -> bytes:
    addresses = ipaddress.ip_address(HERE6).packed + ipaddress.ip_address(THERE6).packed
    return bytes(12) + b"\x86\xdd" + bytes(6) + bytes((protocol, 64)) + addresses + rest


def arp(operation: int) -> bytes:
    addresses = ipaddress.ip_address(HERE).packed + bytes(6) + ipaddress.ip_address(THERE).packed
    return bytes(12) + b"\x08\x06" + bytes(6) + bytes((0, operation)) + bytes(6) + addresses


@pytest.mark.parametrize(
    ("frame", "packet"),
    [
        (ipv4(6, ports(40000, 443)), Packet("tcp", HERE, 40000, THERE, 443)),
        (ipv4(17, ports(5, 53, b"x")), Packet("udp", HERE, 5, THERE, 53, b"x")),
        (ipv4(17, ports(5, 9), bytes(8)), Packet("udp", HERE, 5, THERE, 9)),
        (ipv4(1, bytes(8)), Packet("icmp", HERE, 0, THERE, 0)),
        (ipv4(132, bytes(8)), Packet("132", HERE, 0, THERE, 0)),
        (ipv6(6, ports(1, 2)), Packet("tcp", HERE6, 1, THERE6, 2)),
        (ipv6(0, bytes((17, 0)) + bytes(6) + ports(1, 2)), Packet("udp", HERE6, 1, THERE6, 2)),
        (ipv6(58, bytes((128,)) + bytes(7)), Packet("icmpv6", HERE6, 0, THERE6, 0)),
        (
            ipv6(58, bytes((135,)) + bytes(7) + ipaddress.ip_address("fd99::5").packed),
            Packet("solicitation", HERE6, 0, "fd99::5", 0),
        ),
        (arp(1), Packet("arp", HERE, 0, THERE, 0)),
        (bytes(12) + b"\x88\xcc", Packet("ethertype 0x88cc", "00" * 6, 0, "00" * 6, 0)),
    ],
    ids=lambda value: str(value) if isinstance(value, Packet) else "",
)
def test_a_packet_is_told_with_its_ends(frame: bytes, packet: Packet) -> None:
    assert parse(frame) == packet


@pytest.mark.parametrize(
    "frame",
    [
        arp(2),
        ipv6(58, bytes((133,)) + bytes(7)),
        ipv6(0, bytes((58, 0)) + bytes(6) + bytes((143,)) + bytes(7)),
    ],
    ids=["arp reply", "router solicitation", "multicast report"],
)
def test_housekeeping_of_the_kernel_is_left_out(frame: bytes) -> None:
    assert parse(frame) is None


def test_a_query_is_told_by_the_name_it_asks_for() -> None:
    packet = parse(ipv4(17, ports(5, 53, QUERY)))
    assert packet is not None
    assert packet.queried == name_in(QUERY) == "updates.example"
    assert list(distinct([packet, packet])) == [f"udp to {THERE} port 53 for updates.example"]


@pytest.mark.parametrize("query", [b"", bytes(12), bytes(11)])
def test_what_is_no_query_has_no_name(query: bytes) -> None:
    assert name_in(query) == "no name"


def test_both_directions_of_a_connection_belong_to_its_server() -> None:
    there = Packet("tcp", HERE, 40000, THERE, 443)
    back = Packet("tcp", THERE, 443, HERE, 40000)
    assert there.is_of(THERE, frozenset({443}))
    assert back.is_of(THERE, frozenset({443}))
    assert not there.is_of(THERE, frozenset({80}))
    assert not there.is_of(HERE, frozenset({443}))
    assert not Packet("udp", HERE, 1, THERE, 443).is_of(THERE, frozenset({443}))
