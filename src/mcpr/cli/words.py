"""How numbers and recorded text look to a person. Every function returns printable text."""

from datetime import UTC, datetime

from mcpr.store import forms

_MINUTE_US = 60_000_000

#: The text with everything that a terminal could obey, or not show, as an escape.
printable = forms.printable


def latency(microseconds: int) -> str:
    """Such as `812µs`, `45.2ms`, `1.25s`, `12m30s`: three digits, at most seven characters."""
    if microseconds < 1_000:
        return f"{microseconds}µs"
    for unit_us, unit in ((1_000, "ms"), (1_000_000, "s")):
        text = _three_digits(microseconds / unit_us)
        if float(text) < (1_000 if unit == "ms" else 60):
            return f"{text}{unit}"
    minutes, rest_us = divmod(microseconds, _MINUTE_US)
    if minutes < 60:
        return f"{minutes}m{rest_us // 1_000_000:02d}s"
    return f"{minutes // 60}h{minutes % 60:02d}m"


def size(byte_count: int) -> str:
    """Such as `312B`, `1.46kB`, `38.1MB`: decimal units."""
    if byte_count < 1_000:
        return f"{byte_count}B"
    unit_size = 1_000
    for unit in ("kB", "MB", "GB"):
        text = _three_digits(byte_count / unit_size)
        if float(text) < 1_000:
            return f"{text}{unit}"
        unit_size *= 1_000
    return f"{_three_digits(byte_count / unit_size)}TB"


def rate(share: float) -> str:
    """A share of one, as per cent: `0%`, `0.4%`, `12%`. Only nothing is 0 %, only all is 100 %."""
    percent = share * 100
    if percent in {0, 100}:
        return f"{percent:.0f}%"
    if percent < 0.1:
        return "<0.1%"
    if percent > 99.9:
        return ">99.9%"
    return f"{percent:.1f}%"


def local_time(ts_ms: int) -> str:
    """Month, day and time in this machine's zone."""
    return f"{_local(ts_ms):%m-%d %H:%M:%S}"


def zone(ts_ms: int) -> str:
    """Offset from UTC of this machine's zone at an instant, such as `+02:00`."""
    return _local(ts_ms).isoformat(timespec="seconds")[19:]


def _local(ts_ms: int) -> datetime:
    return datetime.fromtimestamp(ts_ms // 1_000, UTC).astimezone()


def _three_digits(number: float) -> str:
    digits = 2 if number < 9.995 else 1 if number < 99.95 else 0
    return f"{number:.{digits}f}"
