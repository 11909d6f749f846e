"""console/words: digits, units, signs, times, and texts that may be anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpr.console import words

GAP = "\u202f"


@pytest.mark.parametrize(
    ("microseconds", "told"),
    [
        (0, "0 µs"),
        (999, "999 µs"),
        (1_000, "1.00 ms"),
        (45_200, "45.2 ms"),
        (999_600, "1.00 s"),
        (59_940_000, "59.9 s"),
        (750_000_000, "12 m 30 s"),
        (3_600_000_000, "1 h 00 m"),
        (None, "\N{EN DASH}"),
    ],
)
def test_a_latency_has_three_digits_and_its_unit(microseconds: int | None, told: str) -> None:
    assert words.latency(microseconds).replace(GAP, " ") == told


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, "0 B"), (1_460, "1.46 kB"), (38_100_000, "38.1 MB"), (None, "\N{EN DASH}")],
)
def test_a_size_has_three_digits_and_its_unit(size: int | None, told: str) -> None:
    assert words.size(size).replace(GAP, " ") == told


@pytest.mark.parametrize(
    ("share", "told"),
    [(0, "0 %"), (1, "100 %"), (0.0001, "<0.1 %"), (0.0634, "6.3 %"), (0.9999, ">99.9 %")],
)
def test_only_nothing_is_zero_per_cent(share: float, told: str) -> None:
    assert words.rate(share).replace(GAP, " ") == told


@given(st.text(max_size=300), st.integers(1, 100))
def test_a_shown_text_is_printable_and_short(text: str, most: int) -> None:
    told = words.shown(text, most)
    assert told.isprintable()
    assert len(told) <= most * 10 + 1


@given(st.integers(0, 253_402_300_800_000))
def test_every_instant_can_be_shown(ts_ms: int) -> None:
    assert words.moment(ts_ms)
    assert words.iso(ts_ms)
    assert words.ago(ts_ms, 253_402_300_800_000)
    assert words.span(max(1, ts_ms))


def test_a_change_has_its_sign() -> None:
    assert [words.signed("1", amount) for amount in (1, -1, 0)] == ["+1", "\N{MINUS SIGN}1", "±1"]
