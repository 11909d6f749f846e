"""Spans of time: half-open windows in epoch milliseconds, and the words people use for them.

Reads no clock: `now_ms` is always an argument.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Self

from mcpr.errors import UsageError

_UNITS_MS = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
}
_DURATION = re.compile(r"([0-9]{1,12})(ms|s|m|h|d|w)")
# The first instant that Python's dates cannot show: the year 10000.
END_OF_TIME_MS = 253_402_300_800_000


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, `since_ms` within it and `until_ms` not. Raises UsageError when empty."""

    since_ms: int
    until_ms: int

    def __post_init__(self) -> None:
        if self.since_ms >= self.until_ms:
            raise UsageError(
                "cannot look at an empty span of time",
                "its beginning is not before its end",
                "give an earlier --since or a later --until",
                "usage.window",
            )

    @classmethod
    def all_until(cls, until_ms: int) -> Self:
        """Everything before an instant."""
        return cls(0, until_ms)


def duration_ms(text: str) -> int:
    """Milliseconds of `500ms`, `30s`, `15m`, `2h`, `7d`, `2w`. Raises UsageError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"cannot read {text!r} as a duration",
            "a duration is a whole number and one of ms, s, m, h, d, w",
            "write it like 30s, 15m, 2h, 7d or 2w",
            "usage.duration",
        )
    return int(match[1]) * _UNITS_MS[match[2]]


def instant_ms(text: str, now_ms: int, zone: tzinfo | None = UTC) -> int:
    """Epoch milliseconds of an instant: a duration before `now_ms`, or an ISO 8601 date or time.

    zone: where a time without an offset is meant; None is the zone of this machine.
    Before 1970 is 1970, after the year 9999 its end. Raises UsageError.
    """
    text = text.strip()
    if _DURATION.fullmatch(text):
        return max(0, now_ms - duration_ms(text))
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None and zone is not None:
            moment = moment.replace(tzinfo=zone)
        # Whole arithmetic: a float of today's seconds has no room for exact milliseconds.
        since_epoch = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError) as exc:
        raise UsageError(
            f"cannot read {text!r} as an instant",
            "it is neither a duration before now nor an ISO 8601 date or time",
            "write it like 15m, 7d, 2026-07-28 or 2026-07-28T10:15:00Z",
            "usage.instant",
        ) from exc
    milliseconds = since_epoch.days * 86_400_000 + since_epoch.seconds * 1_000
    milliseconds += since_epoch.microseconds // 1_000
    return min(max(0, milliseconds), END_OF_TIME_MS)
