"""store/window: spans of time and the words for them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpr.errors import Exit, UsageError
from mcpr.store import Window, duration_ms, instant_ms
from mcpr.store.window import END_OF_TIME_MS

NOW_MS = 1_785_233_700_000  # 2026-07-28T10:15:00Z
SUMMER = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500ms", 500),
        ("30s", 30_000),
        ("15m", 900_000),
        ("2h", 7_200_000),
        ("7d", 604_800_000),
        ("2w", 1_209_600_000),
        ("0s", 0),
        (" 1h ", 3_600_000),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, expected: int) -> None:
    assert duration_ms(text) == expected


@pytest.mark.parametrize(
    "text", ["", "5", "h", "-1h", "1.5h", "1 h", "1h30m", "1y", "1H", "٣h", "1" * 13 + "s"]
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        duration_ms(text)
    assert refused.value.exit is Exit.USAGE
    assert "30s" in refused.value.next_step


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15m", NOW_MS - 900_000),
        ("0s", NOW_MS),
        ("2026-07-28T10:15:00Z", NOW_MS),
        ("2026-07-28T12:15:00+02:00", NOW_MS),
        ("2026-07-28 12:15", NOW_MS),
        ("2026-07-28T12:15:00.007", NOW_MS + 7),
        ("2026-07-28", NOW_MS - (12 * 60 + 15) * 60_000),
        ("9999w", 0),
        ("1960-01-01", 0),
        ("9999-12-31T23:59:59.999Z", END_OF_TIME_MS - 1),
    ],
)
def test_an_instant_is_a_duration_ago_or_a_date_or_time(text: str, expected: int) -> None:
    assert instant_ms(text, NOW_MS, SUMMER) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "10:15", "9999-12-31T23:59-23:00"])
def test_what_is_no_instant_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        instant_ms(text, NOW_MS)
    assert "2026-07-28" in refused.value.next_step


@pytest.mark.parametrize("until_ms", [0, 5])
def test_a_window_that_holds_nothing_is_refused(until_ms: int) -> None:
    with pytest.raises(UsageError, match="empty span of time"):
        Window(5, until_ms)


@given(st.integers(0, END_OF_TIME_MS - 1))
def test_every_instant_can_be_written_to_the_millisecond(ts_ms: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ts_ms)
    assert instant_ms(moment.isoformat(timespec="milliseconds"), 0) == ts_ms
