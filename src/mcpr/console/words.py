"""How numbers, times and recorded text look on a page: digits that align, units always.

Every function returns plain text; the templates escape it.
"""

from datetime import UTC, datetime

from mcpr.store.forms import printable

#: Between a number and its unit: narrow, and never broken.
_GAP = "\N{NARROW NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_DASH = "\N{EN DASH}"
_MOST = 96


def shown(text: str | None, most: int = _MOST) -> str:
    """A recorded text: short, and without what could hide or turn other text; a dash for none."""
    if text is None:
        return _DASH
    cut = printable(text[:most])
    return f"{cut}…" if len(text) > most else cut


def count(number: float) -> str:
    """Such as `12,345`."""
    return f"{number:,.0f}"


def latency(microseconds: float | None) -> str:
    """Such as `812 µs`, `45.2 ms`, `1.25 s`, `12 m 30 s`."""
    if microseconds is None:
        return _DASH
    if microseconds < 999.5:
        return f"{microseconds:.0f}{_GAP}µs"
    if microseconds < 999_500:
        return f"{_three(microseconds / 1_000)}{_GAP}ms"
    if microseconds < 59_950_000:
        return f"{_three(microseconds / 1_000_000)}{_GAP}s"
    minutes, seconds = divmod(round(microseconds / 1_000_000), 60)
    if minutes < 60:
        return f"{minutes}{_GAP}m{_GAP}{seconds:02d}{_GAP}s"
    return f"{minutes // 60}{_GAP}h{_GAP}{minutes % 60:02d}{_GAP}m"


def size(byte_count: float | None) -> str:
    """Such as `312 B`, `1.46 kB`, `38.1 MB`: decimal units."""
    if byte_count is None:
        return _DASH
    if byte_count < 999.5:
        return f"{byte_count:.0f}{_GAP}B"
    scaled = byte_count
    for unit in ("kB", "MB", "GB"):
        scaled /= 1_000
        if scaled < 999.5:
            return f"{_three(scaled)}{_GAP}{unit}"
    return f"{_three(scaled / 1_000)}{_GAP}TB"


def rate(share: float | None) -> str:
    """A share of one, as per cent. Only nothing is 0 %, only all is 100 %."""
    if share is None:
        return _DASH
    percent = share * 100
    if percent in {0, 100}:
        return f"{percent:.0f}{_GAP}%"
    if percent < 0.1:
        return f"<0.1{_GAP}%"
    if percent > 99.9:
        return f">99.9{_GAP}%"
    return f"{percent:.1f}{_GAP}%"


def signed(text: str, amount: float) -> str:
    """The text of a positive amount with the sign that the amount has."""
    sign = "+" if amount > 0 else _MINUS if amount < 0 else "±"
    return f"{sign}{text}"


def moment(ts_ms: int | None) -> str:
    """Day and time in this machine's zone, to the second."""
    return _DASH if ts_ms is None else f"{_local(ts_ms):%m-%d %H:%M:%S}"


def exact(ts_ms: int | None) -> str:
    """Day and time in this machine's zone, to the millisecond."""
    return _DASH if ts_ms is None else f"{moment(ts_ms)}.{ts_ms % 1_000:03d}"


def iso(ts_ms: int) -> str:
    """The instant for programs, with the zone's offset."""
    return _local(ts_ms).replace(microsecond=ts_ms % 1_000 * 1_000).isoformat("T", "milliseconds")


def ago(ts_ms: int | None, now_ms: int) -> str:
    """How long ago that was, in one unit."""
    if ts_ms is None:
        return _DASH
    seconds = max(0, now_ms - ts_ms) // 1_000
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * length or (seconds >= length and unit == "min"):
            return f"{seconds // length}{_GAP}{unit} ago"
    return f"{seconds}{_GAP}s ago"


def span(milliseconds: int) -> str:
    """How long a window is, such as `24 h` or `7 d`."""
    for length, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")):
        if milliseconds >= 2 * length or (unit == "h" and milliseconds >= length):
            return f"{round(milliseconds / length, 1):g}{_GAP}{unit}"
    return f"{milliseconds}{_GAP}ms"


def zone(ts_ms: int) -> str:
    """Offset of this machine's zone from UTC at that instant, such as `UTC+02:00`."""
    return f"UTC{_local(ts_ms).isoformat(timespec='seconds')[19:]}"


def _local(ts_ms: int) -> datetime:
    return datetime.fromtimestamp(min(ts_ms, 253_402_200_000_000) // 1_000, UTC).astimezone()


def _three(number: float) -> str:
    digits = 2 if number < 9.995 else 1 if number < 99.95 else 0
    return f"{number:.{digits}f}"


def day(day_ms: int) -> str:
    """The day that began then in UTC."""
    return f"{datetime.fromtimestamp(day_ms // 1_000, UTC):%Y-%m-%d}"
