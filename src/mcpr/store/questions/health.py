"""How something fares, in one word, and why: four states, their rules and their thresholds."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from mcpr.store.engine import EventStore, Filter
from mcpr.store.questions.sums import Sums
from mcpr.store.window import Window

_Key = TypeVar("_Key", bound=Hashable)
State = Literal["healthy", "degraded", "down", "inactive"]

RECENT_MS = 5 * 60_000
_QUIET_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is bad, and how bad. Rates 0-1.

    down_calls: fewer calls in the last five minutes say nothing.
    """

    down_error_rate: float = 0.5
    down_calls: int = 3
    degraded_error_rate: float = 0.05
    degraded_p95_ratio: float = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    """A state and its reason, in words for people."""

    state: State
    reason: str


def recent(window: Window) -> Window:
    """The window's last five minutes (all of a shorter one)."""
    return Window(max(window.since_ms, window.until_ms - RECENT_MS), window.until_ms)


def before(store: EventStore, window: Window) -> Window | None:
    """The window of the same length just before; None where it is not kept whole."""
    since_ms = window.since_ms - (window.until_ms - window.since_ms)
    oldest_ms = store.oldest_ms()
    if since_ms < 0 or oldest_ms is None or oldest_ms > since_ms:
        return None
    return Window(since_ms, window.since_ms)


def judge_all(
    store: EventStore,
    where: Filter,
    ask: Callable[[Filter], dict[_Key, Sums]],
    thresholds: Thresholds | None = None,
) -> dict[_Key, tuple[Sums, Health | None]]:
    """What is asked for in one moment of the store, each with its health.

    ask: the sums of a window by whatever is judged. Without a window nothing is judged.
    """
    window = where.window
    with store.moment():
        now = ask(where)
        if window is None:
            return {key: (sums, None) for key, sums in now.items()}
        latest = ask(replace(where, window=recent(window)))
        kept = before(store, window)
        earlier = {} if kept is None else ask(replace(where, window=kept))
    nothing = Sums()
    limits = thresholds or Thresholds()
    return {
        key: (sums, judge(sums, latest.get(key, nothing), earlier.get(key), window, limits))
        for key, sums in now.items()
    }


def judge(
    now: Sums, latest: Sums, earlier: Sums | None, window: Window, thresholds: Thresholds
) -> Health:
    """The first rule that holds.

    now: of the window. latest: of its last five minutes. earlier: of the window before; None
    where that begins before what is kept, and then only the error rate can degrade.
    """
    length_ms = window.until_ms - window.since_ms
    quiet_ms = max(RECENT_MS, round(length_ms * _QUIET_SHARE))
    if not now.calls or now.last_ms < window.until_ms - quiet_ms:
        return Health("inactive", f"no call in the last {_span(quiet_ms)}")
    if latest.calls >= thresholds.down_calls and latest.error_rate >= thresholds.down_error_rate:
        return Health(
            "down", f"{latest.errors} of {latest.calls} calls in the last 5 min were errors"
        )
    if now.error_rate >= thresholds.degraded_error_rate:
        return Health(
            "degraded",
            f"{_percent(now.error_rate)} errors, from"
            f" {_percent(thresholds.degraded_error_rate)} on that is many",
        )
    if earlier is not None and earlier.calls:
        ratio = now.percentile_us(0.95) / max(1, earlier.percentile_us(0.95))
        if ratio >= thresholds.degraded_p95_ratio:
            return Health("degraded", f"p95 is {ratio:.1f} times that of the previous period")
    return Health("healthy", f"{_percent(now.error_rate)} errors, p95 as usual")


def _percent(rate: float) -> str:
    return f"{rate * 100:.2g} %" if rate < 0.1 else f"{rate * 100:.0f} %"


def _span(milliseconds: int) -> str:
    minutes = milliseconds / 60_000
    if minutes < 120:
        return f"{minutes:.0f} min"
    hours = minutes / 60
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d"
