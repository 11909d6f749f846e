"""settings/kinds: what is read of each kind of value, and how it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from mcpr.settings.hosts import Host, ListenHost
from mcpr.settings.kinds import (
    BadValue,
    ByteCount,
    Choice,
    FilePath,
    Flag,
    Kind,
    ListOf,
    MapOf,
    Port,
    Seconds,
    Table,
    Text,
    Whole,
    duration,
    kind_of,
    size,
)

READ: dict[str, tuple[Kind, str, object]] = {
    "milliseconds": (duration(), "250ms", 0.25),
    "a fraction": (duration(), "1.5s", 1.5),
    "minutes with a space": (duration(), "2 m", 120.0),
    "a day": (duration(), "1d", 86_400.0),
    "decimal size": (size(), "5MB", 5_000_000),
    "binary size": (size(), "5MiB", 5 * 1024 * 1024),
    "half of it": (size(), "0.5MiB", 512 * 1024),
    "true": (Flag(), "TRUE", True),
    "a host": (Host(), "MCP.Example.com", "mcp.example.com"),
    "any host": (Host(), "*", "*"),
    "IPv6": (Host(), "2001:DB8:0::1", "[2001:db8::1]"),
    "IPv6 in brackets": (Host(), "[::1]", "[::1]"),
    "IPv4": (Host(), "192.0.2.1", "192.0.2.1"),
    "an address to listen on": (ListenHost(), "[::]", "::"),
    "a path": (FilePath(), "~/x", Path("~/x")),
}


@pytest.mark.parametrize(("kind", "text", "value"), READ.values(), ids=READ)
def test_a_text_is_read_as_what_it_means(kind: Kind, text: str, value: object) -> None:
    assert kind.read_text(text) == value


REFUSED: dict[str, tuple[Kind, object]] = {
    "no unit": (duration(), "30"),
    "no number": (duration(), "s"),
    "another unit": (duration(), "3w"),
    "negative": (duration(), "-3s"),
    "too long": (duration(), "25h"),
    "nothing": (duration(), "0s"),
    "many digits": (size(), "1" * 30 + "B"),
    "a host with a port": (Host(), "a:80"),
    "no host": (Host(), ""),
    "a host with an open bracket": (Host(), "[::1"),
    "half a zone": (Host(), "[fe80::1%25eth0]x"),
    "a name to listen on": (ListenHost(), "example.com"),
    "an empty path": (FilePath(), ""),
    "a path with NUL": (FilePath(), "a\0"),
    "a flag": (Flag(), "yes"),
    "a flag that is a number": (Flag(), 1),
    "a number that is a flag": (Whole(), True),
    "a number with a point": (Whole(), 1.0),
    "a number in words": (Whole(), "one"),
    "not a number": (duration(), float("nan")),
}


@pytest.mark.parametrize(("kind", "value"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_of_the_kind_is_refused_with_a_next_step(kind: Kind, value: object) -> None:
    with pytest.raises(BadValue) as bad:
        kind.read(value)
    assert bad.value.reason
    assert bad.value.next_step
    if isinstance(value, str):
        with pytest.raises(BadValue):
            kind.read_text(value)


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (duration(), 120.0, "2m"),
        (duration(), 0.25, "250ms"),
        (duration(), 90.0, "90s"),
        (duration(), 0.0, "0ms"),
        (size(), 5 * 1024 * 1024, "5MiB"),
        (size(), 16_384, "16KiB"),
        (size(), 5_000_000, "5MB"),
        (size(), 1025, "1025B"),
        (ListOf(Host()), ("a",), ["a"]),
        (MapOf(Text()), {"a": "b"}, {"a": "b"}),
        (FilePath(), Path("/x"), "/x"),
    ],
)
def test_a_value_is_shown_as_a_file_would_have_it_and_reads_back(
    kind: Kind, value: object, shown: object
) -> None:
    assert kind.show(value) == shown
    if isinstance(shown, str) and value:
        assert kind.read(shown) == value


@dataclass
class Inner:
    """A table."""


def test_an_annotation_has_its_kind() -> None:
    assert isinstance(kind_of(str | None), Text)
    assert kind_of(Literal["a", "b"]) == Choice(("a", "b"))
    assert kind_of(Port) == Whole(0, 65_535)
    assert kind_of(Seconds) == duration()
    assert kind_of(ByteCount | None) == size()
    assert isinstance(kind_of(tuple[str, ...]), ListOf)
    assert isinstance(kind_of(Mapping[str, str]), MapOf)
    assert kind_of(tuple[Inner, ...]) == Table(Inner, many=True)
    assert kind_of(Inner) == Table(Inner)
