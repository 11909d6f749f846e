"""Reads packets as a cable carries them, and hears every one that passes an interface.

The kernel's own housekeeping (router discovery, multicast membership) is left out; everything else
is told, known or not. A question for a neighbour (ARP, neighbour solicitation) is told, too: where
nobody has that address it is all that can be seen of a packet that was to be sent there.
"""

import ipaddress
import socket
import struct
import threading
from collections.abc import Iterator
from typing import NamedTuple

_ALL = 0x0003
_OUTGOING = 4
_SOL_PACKET, _STATISTICS = 263, 6
_BUFFER_BYTES = 1 << 26
_IPV4, _IPV6, _ARP = 0x0800, 0x86DD, 0x0806
_HOP_BY_HOP, _ICMPV6 = 0, 58
_SOLICITATION = 135
_HOUSEKEEPING = frozenset((130, 131, 132, 133, 134, 136, 137, 143))
_NAMES = {6: "tcp", 17: "udp", 1: "icmp", _ICMPV6: "icmpv6"}
DNS_PORT = 53


class Packet(NamedTuple):
    """One packet. Ports are 0 where its protocol has none."""

    protocol: str
    source: str
    source_port: int
    target: str
    target_port: int
    data: bytes = b""

    def __str__(self) -> str:
        name = f" for {self.queried}" if self.queried else ""
        return f"{self.protocol} to {self.target} port {self.target_port}{name}"

    @property
    def queried(self) -> str | None:
        """The name that a DNS query asks for."""
        if self.protocol != "udp" or self.target_port != DNS_PORT:
            return None
        return name_in(self.data)

    def is_of(self, address: str, ports: frozenset[int]) -> bool:
        """Whether it is TCP to one of these ports of an address, or back."""
        return self.protocol == "tcp" and (
            (self.target == address and self.target_port in ports)
            or (self.source == address and self.source_port in ports)
        )


def name_in(query: bytes) -> str:
    """The first question's name (RFC 1035 section 4.1.2), or what is odd about it."""
    labels, at = [], 12
    while at < len(query) and query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]])
        at += 1 + query[at]
    return b".".join(labels).decode("ascii", "backslashreplace") or "no name"


def parse(frame: bytes) -> Packet | None:
    """What an Ethernet frame carries; None for the kernel's housekeeping."""
    (kind,) = struct.unpack_from("!H", frame, 12)
    if kind == _ARP:
        is_request = frame[20:22] == b"\0\1"
        return _of("arp", frame[28:32], frame[38:42]) if is_request else None
    if kind == _IPV4:
        header = (frame[14] & 15) * 4
        source, target = frame[26:30], frame[30:34]
        return _of(_NAMES.get(frame[23], frame[23]), source, target, frame[14 + header :])
    if kind == _IPV6:
        protocol, rest = frame[20], frame[54:]
        if protocol == _HOP_BY_HOP:
            protocol, rest = rest[0], rest[8 * (rest[1] + 1) :]
        if protocol == _ICMPV6 and rest[0] in _HOUSEKEEPING:
            return None
        if protocol == _ICMPV6 and rest[0] == _SOLICITATION:
            return _of("solicitation", frame[22:38], rest[8:24])
        return _of(_NAMES.get(protocol, protocol), frame[22:38], frame[38:54], rest)
    return Packet(f"ethertype {kind:#06x}", frame[6:12].hex(), 0, frame[:6].hex(), 0)


def _of(protocol: str | int, source: bytes, target: bytes, rest: bytes = b"") -> Packet:
    ports = struct.unpack_from("!HH", rest) if protocol in {"tcp", "udp"} else (0, 0)
    one, other = str(ipaddress.ip_address(source)), str(ipaddress.ip_address(target))
    data = rest[8:] if protocol == "udp" else b""
    return Packet(f"{protocol}", one, ports[0], other, ports[1], data)


class Capture:
    """Every packet that passes an interface, in a thread of its own, until `close`.

    packets: what has passed so far. Make it before there is anything to hear.
    """

    def __init__(self, interface: str, *, own: bool = False) -> None:
        """own: hear what this side sends; else what comes from the other."""
        self.packets: list[Packet] = []
        self._own = own
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        self._socket.bind((interface, _ALL))
        self._socket.settimeout(0.05)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()

    def _hear(self) -> None:
        while True:
            try:
                frame, (_, _, direction, *_) = self._socket.recvfrom(65_536)
            except TimeoutError:
                # Only when nothing waits: what passed before the end is heard.
                if self._over.is_set():
                    return
                continue
            if (direction == _OUTGOING) == self._own and (packet := parse(frame)) is not None:
                self.packets.append(packet)

    def close(self) -> int:
        """Hear the rest, then no more. Returns how many packets the kernel had to drop."""
        self._over.set()
        self._thread.join(30)
        raw = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 8)
        self._socket.close()
        return int(struct.unpack("II", raw)[1])


def distinct(packets: list[Packet]) -> Iterator[str]:
    """Each kind of packet once, in words, in their order."""
    yield from dict.fromkeys(map(str, packets))
