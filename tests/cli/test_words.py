"""cli/words: how numbers and recorded text look."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpr.cli import words


@pytest.mark.parametrize(
    ("microseconds", "expected"),
    [
        (0, "0µs"),
        (999, "999µs"),
        (1_000, "1.00ms"),
        (9_994, "9.99ms"),
        (9_996, "10.0ms"),
        (45_200, "45.2ms"),
        (999_499, "999ms"),
        (999_501, "1.00s"),
        (59_940_000, "59.9s"),
        (59_960_000, "0m59s"),
        (60_000_000, "1m00s"),
        (750_000_000, "12m30s"),
        (3_600_000_000, "1h00m"),
        (2**53, "2501999h47m"),
    ],
)
def test_a_latency_has_three_digits_and_its_unit(microseconds: int, expected: str) -> None:
    assert words.latency(microseconds) == expected


@pytest.mark.parametrize(
    ("byte_count", "expected"),
    [
        (0, "0B"),
        (999, "999B"),
        (1_000, "1.00kB"),
        (1_846, "1.85kB"),
        (999_600, "1.00MB"),
        (38_100_000, "38.1MB"),
        (5_000_000_000, "5.00GB"),
        (10**15, "1000TB"),
    ],
)
def test_a_size_has_three_digits_and_its_unit(byte_count: int, expected: str) -> None:
    assert words.size(byte_count) == expected


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0, "0%"),
        (0.0001, "<0.1%"),
        (0.004, "0.4%"),
        (1 / 3, "33.3%"),
        (0.9995, ">99.9%"),
        (1.0, "100%"),
    ],
)
def test_only_none_is_0_and_only_all_is_100_percent(share: float, expected: str) -> None:
    assert words.rate(share) == expected


def test_a_time_is_of_this_machines_zone_as_it_was_then() -> None:
    summer, winter = 1_785_233_700_999, 1_767_225_600_000
    assert (words.local_time(summer), words.zone(summer)) == ("07-28 12:15:00", "+02:00")
    assert (words.local_time(winter), words.zone(winter)) == ("01-01 01:00:00", "+01:00")


@given(st.text())
def test_no_text_reaches_a_terminal_with_anything_it_could_obey(text: str) -> None:
    shown = words.printable(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()
