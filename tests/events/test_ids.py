"""events/ids: UUIDv7 that never go back."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from mcpr.events import Ids, to_text


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**61 - 1))
def test_an_id_is_a_uuid_of_version_7_that_carries_its_time(ts_ms: int, random: int) -> None:
    """RFC 9562, section 5.7."""
    event_id = Ids(lambda bits: random % 2**bits).mint(ts_ms)
    read = uuid.UUID(bytes=event_id)
    assert read.version == 7
    assert read.variant == uuid.RFC_4122
    assert int.from_bytes(event_id[:6], "big") == ts_ms


@given(st.lists(st.integers(0, 2**48 - 1), min_size=2, max_size=50), st.randoms())
def test_ids_grow_whatever_the_clock_does(clock: list[int], random: object) -> None:
    ids = Ids(random.getrandbits)  # type: ignore[attr-defined] # hypothesis gives a Random
    minted = [ids.mint(now) for now in clock]
    assert minted == sorted(set(minted))


def test_the_same_millisecond_gives_different_ids() -> None:
    ids = Ids(lambda _bits: 0)
    assert len({ids.mint(5) for _ in range(1000)}) == 1000


def test_the_text_of_an_id_is_the_text_of_its_uuid() -> None:
    event_id = Ids(lambda bits: 2**bits - 1).mint(1_767_225_600_123)
    assert to_text(event_id) == str(uuid.UUID(bytes=event_id))
