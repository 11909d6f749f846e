"""events/ids: UUIDv7 that never go back."""

import uuid
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from mcpr.events import Ids, to_text
from mcpr.events.ids import ids_of, joined, part_of, runs_of


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


def test_an_id_follows_the_one_before_it_for_a_tenth_of_a_second() -> None:
    """We chose that: whoever stores many of them stores the first one and their number."""
    ids = Ids(lambda _bits: 7)
    first, again, later = (int.from_bytes(ids.mint(ms), "big") for ms in (1_000, 1_100, 1_101))
    assert again == first + 1
    assert later >> 80 == 1_101


@given(st.lists(st.tuples(st.integers(0, 2**48 - 1), st.integers(1, 9)), max_size=9), st.randoms())
def test_ids_minted_together_are_those_minted_one_by_one(
    wanted: list[tuple[int, int]], random: Random
) -> None:
    seed = random.random()
    together, alone = Ids(Random(seed).getrandbits), Ids(Random(seed).getrandbits)
    runs = [together.mint_run(ms, count) for ms, count in wanted]
    assert list(ids_of(runs)) == [alone.mint(ms) for ms, count in wanted for _ in range(count)]


#: Few numbers, some of them on both sides of where 65 bits end.
numbers = st.sampled_from([1, 2, 3, 9, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1, 2**64, 2**128 - 1])
some_ids = st.lists(numbers.map(lambda number: number.to_bytes(16, "big")), max_size=12)


@given(some_ids, st.integers(0, 12), st.integers(0, 12))
def test_runs_hold_the_ids_they_were_made_of_however_they_are_cut(
    some: list[bytes], start: int, stop: int
) -> None:
    runs = runs_of(some)
    assert list(ids_of(runs)) == some
    assert list(ids_of(part_of(runs, start, stop))) == some[start:stop]
    assert joined([(event_id, 1) for event_id in some]) == runs
    assert joined(part_of(runs, 0, start) + part_of(runs, start, 12)) == runs


def test_the_ids_of_a_run_agree_in_their_first_65_bits() -> None:
    """So that the store can count through them in one integer."""
    border = 2**64 + 2**63
    around = [number.to_bytes(16, "big") for number in range(border - 2, border + 2)]
    assert runs_of(around) == [(around[0], 2), (around[2], 2)]


def test_the_text_of_an_id_is_the_text_of_its_uuid() -> None:
    event_id = Ids(lambda bits: 2**bits - 1).mint(1_767_225_600_123)
    assert to_text(event_id) == str(uuid.UUID(bytes=event_id))
