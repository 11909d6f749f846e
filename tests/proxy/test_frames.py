"""proxy/frames: what goes through the pipe comes out whole, however it is cut."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.events.building import events, many

from mcpr.errors import StoreError
from mcpr.events import RequestEvent
from mcpr.proxy import frames
from mcpr.proxy.frames import (
    Ack,
    AdminBind,
    Assignment,
    Carried,
    Failed,
    Fin,
    FrameError,
    FrameReader,
    Kind,
    Losses,
    Ready,
)
from mcpr.sinks import Tally

some_frames = st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=300)), max_size=8)


@given(some_frames, st.lists(st.integers(1, 200)))
def test_frames_come_out_as_they_went_in_however_the_bytes_are_cut(
    sent: list[tuple[Kind, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(frames.frame(kind, body) for kind, body in sent)
    reader = FrameReader()
    received: list[tuple[int, bytes]] = []
    for cut in [*cuts, len(stream)]:
        received += reader.feed(stream[:cut])
        stream = stream[cut:]
    assert received == sent


def test_half_a_frame_is_none() -> None:
    assert list(FrameReader().feed(frames.frame(Kind.FIN, b"abc")[:-1])) == []


def test_what_came_before_nonsense_is_still_heard() -> None:
    heard = FrameReader().feed(frames.frame(Kind.FIN, b"abc") + b"\xff\xff\xff\xff\x02")
    assert next(heard) == (Kind.FIN, b"abc")
    with pytest.raises(FrameError):
        next(heard)


def test_a_length_beyond_all_bounds_is_an_error_before_anything_is_kept_for_it() -> None:
    with pytest.raises(FrameError):
        list(FrameReader().feed(b"\xff\xff\xff\xff\x02"))


@given(st.lists(events, max_size=5))
def test_events_keep_everything_their_detail_too(batch: list[RequestEvent]) -> None:
    ((kind, body),) = FrameReader().feed(frames.pack_events(batch))
    assert kind == Kind.EVENTS
    assert list(frames.unpack_events(body)) == batch


@pytest.mark.parametrize(
    "message",
    [
        Ready(("127.0.0.1", 9901)),
        Ready(None),
        Ack(1, 2, [Tally(3, 4, {"lane_full": 5}), Tally()]),
        Fin(1.5),
        Losses({"pipe_full": 3}),
        Assignment(
            [("sqlite", "store.db")],
            AdminBind("::1", 0, 1),
            [Carried(7, Tally(5, 2))],
            Losses({}),
            3,
        ),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_keeps_its_values(message: msgspec.Struct) -> None:
    ((_, body),) = FrameReader().feed(frames.pack(Kind.ACK, message))
    assert frames.unpack(body, type(message)) == message


def test_an_error_keeps_its_words() -> None:
    error = StoreError("cannot open", "the disk is full", "free space")
    assert str(Failed.of(error).error()) == str(error)


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x91\xa1x", b"\x01"])
def test_a_body_of_another_form_is_an_error(body: bytes) -> None:
    with pytest.raises(FrameError):
        frames.unpack(body, Ack)
    with pytest.raises(FrameError):
        frames.unpack_events(body)


def test_a_thousand_events_are_no_more_than_a_quarter_of_a_megabyte() -> None:
    """The pipe's bound of 16 MiB is then at least 64,000 events."""
    assert len(frames.pack_events(many(1000))) <= 262_144
