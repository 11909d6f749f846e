"""P34 and P10: nothing passes the only cable but calls upstream and queries for its name.

The proxy runs on a machine made for it (tests/privacy/inside.py), from its start to its end; all
that leaves that machine is heard at the other end of its cable.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.privacy import outside
from tests.privacy.inside import NAME, SCENES
from tests.privacy.packets import DNS_PORT, Packet, distinct
from tests.privacy.test_altered_proxies import PROGRAM, PYTHON
from tests.scenarios.processes import MCPR

SECONDS = 240
UPSTREAM = frozenset({outside.PORT})


@dataclass(frozen=True)
class Told:
    """What was heard of a proxy's life.

    foreign: packets to others than the upstream and the resolver. names: that were asked for.
    strange: packets of the loopback that are neither calls nor questions to the admin address.
    """

    code: int | None
    answered: dict[str, int]
    to_upstream: int
    foreign: list[str]
    names: set[str]
    strange: list[str]


def unshared() -> list[str]:
    """Begin a command in namespaces of its own; root is needed for that, or a user namespace."""
    own_user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--net", "--mount", *own_user]


def life(folder: Path, command: tuple[str | Path, ...], *scenes: str) -> Told:
    """Let a proxy live through these scenes."""
    program = Path(__file__).with_name("inside.py")
    words = json.dumps([str(word) for word in command])
    ended = subprocess.run(
        [*unshared(), sys.executable, program, folder, words, *scenes],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    report = said["report"]
    # A packet that was not heard might have been the one.
    assert (report["lost"], said["loopback"]["lost"]) == (0, 0)
    packets = [Packet(*fields) for fields in report["packets"]]
    *heard, last = zip(packets, report["queried"], strict=True)
    assert last[0].target_port == outside.END_PORT
    foreign = [packet for packet, _ in heard if not _is_allowed(packet)]
    return Told(
        code=said["code"],
        answered=said["answered"],
        to_upstream=sum(packet.is_of(outside.OUTSIDE, UPSTREAM) for packet, _ in heard),
        foreign=list(distinct(foreign)),
        names={name for _, name in heard if name is not None},
        strange=said["strange"],
    )


#: Who may be looked for on the cable itself: its ends, and the upstream when it is nowhere.
NEIGHBOURS = frozenset(
    {outside.INSIDE, outside.OUTSIDE, outside.NOBODY, outside.INSIDE6, outside.OUTSIDE6}
)


def _is_allowed(packet: Packet) -> bool:
    if packet.protocol in {"arp", "solicitation"}:
        return packet.target in NEIGHBOURS or packet.target.startswith("fe80:")
    is_query = packet[0] == "udp" and packet[3:5] == (outside.OUTSIDE, DNS_PORT)
    return is_query or packet.is_of(outside.OUTSIDE, UPSTREAM)


def test_nothing_leaves_but_to_the_upstream_from_the_start_to_the_end(tmp_path: Path) -> None:
    told = life(tmp_path, (MCPR, "run"), "calls", "failures", "reloaded", "killed")
    assert (told.foreign, told.names, told.strange) == ([], {NAME}, [])
    # It did what it is for, and it met the failures.
    # 3: what the killed companion had in hand is lost, and counted.
    assert told.code in {0, 3}
    assert told.answered["200"] == 3 * 320 + 1 + 1 + 2
    assert told.answered["502"] == 3 + 3 + 8
    assert told.to_upstream > 963


def test_nothing_leaves_when_it_dies(tmp_path: Path) -> None:
    told = life(tmp_path, (MCPR, "run"), "abruptly")
    assert (told.foreign, told.names, told.strange) == ([], {NAME}, [])


@pytest.mark.parametrize(
    ("alteration", "scene", "found"),
    [
        ("a foreign connection", "calls", "tcp to 203.0.113.7 port 443"),
        ("a foreign datagram", "calls", "udp to 203.0.113.7 port 9"),
        ("a foreign datagram by IPv6", "calls", "udp to 2001:db8::7 port 9"),
        ("a resolver of its own", "calls", "udp to 203.0.113.53 port 53"),
        ("a datagram to the neighbourhood", "calls", "arp to 10.99.0.44"),
    ],
)
def test_a_planted_packet_is_heard(alteration: str, scene: str, found: str, tmp_path: Path) -> None:
    told = life(tmp_path, (PYTHON, PROGRAM, alteration), scene)
    assert any(word.startswith(found) for word in told.foreign), told


@pytest.mark.parametrize(
    ("alteration", "scene"),
    [("a foreign name", "calls"), ("another name when the server is gone", "failures")],
)
def test_a_planted_look_up_is_heard(alteration: str, scene: str, tmp_path: Path) -> None:
    told = life(tmp_path, (PYTHON, PROGRAM, alteration), scene)
    assert told.names == {NAME, "updates.example"}
    assert told.foreign == []


def test_a_planted_look_up_at_the_machines_own_resolver_is_heard(tmp_path: Path) -> None:
    told = life(tmp_path, (PYTHON, PROGRAM, "the machine's own resolver"), "calls")
    assert "udp to 127.0.0.53 port 53 for updates.example" in told.strange


def test_every_scene_is_played_before_the_shipped_proxy() -> None:
    assert SCENES.keys() == {"calls", "failures", "reloaded", "killed", "abruptly"}
