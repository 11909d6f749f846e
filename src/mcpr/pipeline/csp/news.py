"""Which of the widgets that pass are worth writing down: those that say something new."""

import json
from collections.abc import Sequence
from typing import Final

from mcpr.pipeline.csp.rules import DIRECTIVES, Directive, Policy
from mcpr.pipeline.csp.widgets import Widget

_MOST_REMEMBERED: Final = 1_000
_MOST_SOURCES: Final = 100
_LONGEST_URI: Final = 2_000
_LONGEST_SOURCE: Final = 500
#: A widget that stays as it is is told of again so often, so that its last sighting is known.
_AGAIN_NS: Final = 600 * 1_000_000_000


class WidgetNews:
    """Remembers what was told last of each widget of one server.

    Bounded; what is forgotten is told again.
    """

    def __init__(self) -> None:
        self._told: dict[str, tuple[bytes, int]] = {}

    def of(self, widgets: Sequence[Widget], now_ns: int) -> list[bytes]:
        """Those that are new, that changed, or that were not told of for long, each packed."""
        news = []
        for widget in widgets:
            packed = pack_widget(widget)
            last, told_ns = self._told.get(widget.uri, (b"", 0))
            if packed == last and now_ns - told_ns < _AGAIN_NS:
                continue
            if len(self._told) >= _MOST_REMEMBERED:
                self._told.clear()
            self._told[widget.uri] = packed, now_ns
            news.append(packed)
        return news


def pack_widget(widget: Widget) -> bytes:
    """The widget as bytes, of a bounded size; the same widget always gives the same ones."""
    lists = [_lists(widget.declared), _lists(widget.emitted)]
    return json.dumps([widget.uri[:_LONGEST_URI], *lists], separators=(",", ":")).encode()


def read_widget(packed: bytes) -> Widget:
    """The widget that was packed."""
    uri, declared, emitted = json.loads(packed)
    return Widget(uri, policy_of(declared), policy_of(emitted))


def policy_of(lists: dict[str, list[str]]) -> dict[Directive, tuple[str, ...]]:
    """A policy out of lists by the names of directives."""
    return {name: tuple(lists[name]) for name in DIRECTIVES if name in lists}


def _lists(policy: Policy) -> dict[str, list[str]]:
    return {
        name: [_text(source) for source in policy[name][:_MOST_SOURCES]]
        for name in DIRECTIVES
        if name in policy
    }


def _text(source: str) -> str:
    """What a file can hold of a source: half a surrogate pair becomes U+FFFD."""
    return source[:_LONGEST_SOURCE].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
