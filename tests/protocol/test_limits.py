"""The documented limits, and that nobody moves them at run time."""

import dataclasses

import pytest

from mcpr.protocol.limits import Limits

DOCUMENTED = {
    "request_bytes": 5 * 1024 * 1024,
    "answer_bytes": 10 * 1024 * 1024,
    "exchanges": 100,
    "streams": 10_000,
    "waiters": 1_000,
    "wait_seconds": 5,
    "connect_seconds": 5,
    "first_byte_seconds": 120,
    "head_bytes": 64 * 1024,
    "line_bytes": 16 * 1024,
    "fields": 128,
    "head_seconds": 30,
    "body_seconds": 60,
    "idle_seconds": 75,
    "stalled_seconds": 300,
    "pool_idle_seconds": 4,
    "connections": 15_000,
}


def test_the_defaults_are_the_documented_ones() -> None:
    assert dataclasses.asdict(Limits()) == DOCUMENTED


def test_every_limit_is_explained() -> None:
    assert Limits.__doc__ is not None
    assert all(field.name in Limits.__doc__ for field in dataclasses.fields(Limits))


def test_an_idle_upstream_connection_is_dropped_before_the_server_drops_it() -> None:
    """uvicorn and Node close theirs after 5 seconds."""
    assert Limits().pool_idle_seconds < 5


def test_limits_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Limits().fields = 1  # type: ignore[misc]  # that is what must not work
