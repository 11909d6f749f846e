"""What a visitor asks: the URL's query, read once into a filter. The names are those of the CLI.

Reads no clock: the present is an argument.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from mcpr.errors import UsageError
from mcpr.events import OUTCOMES
from mcpr.events.schema import LISTS, ListName
from mcpr.store import Cursor, Filter, Window, duration_ms, instant_ms

#: Those that choose rows; each question takes some of them.
WINDOW = ("since", "until", "server")
CALLS = (*WINDOW, "tool", "client")
LOG = (*CALLS, "method", "session", "outcome", "errors", "id")
MOST_ROWS = 1_000
_MOST_TEXT = 20_000
_CURSOR = re.compile(r"(\d{1,15})-(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Ask:
    """A query, as it was given and as it is meant.

    given: the parameters, each once, without empty ones. where: with the window. limit: None where
    none was given. until_now: whether the window ends at the present.
    """

    given: Mapping[str, str]
    now_ms: int
    where: Filter
    window: Window
    limit: int | None
    until_now: bool

    def get(self, name: str) -> str | None:
        """A parameter as it was given; None where it was not."""
        return self.given.get(name)

    def number(self, name: str, default: int) -> int:
        """A whole number from 1 on. Raises UsageError."""
        return _number(name, self.given.get(name), default)

    def flag(self, name: str) -> bool:
        """Whether it is 1 and not 0. Raises UsageError."""
        return bool(_choice(name, self.given.get(name), ("0", "1")) == "1")

    @property
    def before(self) -> Cursor | None:
        """Where the page before this one ended. Raises UsageError."""
        text = self.given.get("before")
        if text is None:
            return None
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise _wrong("before", text, "it is not where a page ended", "take it from `next`")
        return Cursor(int(found[1]), int(found[2]))

    @property
    def list(self) -> ListName | None:
        """Which of a server's lists. Raises UsageError."""
        told: ListName | None = _choice("list", self.given.get("list"), LISTS)
        return told

    def query(self, keep: Sequence[str] | None = None, **changes: object) -> str:
        """The same query with changes, as it stands in a URL; None takes a parameter away.

        keep: only these of what was given.
        """
        values = {name: text for name, text in self.given.items() if keep is None or name in keep}
        for name, value in changes.items():
            values.pop(name, None)
            if value is not None:
                values[name] = str(value)
        return f"?{urlencode(values)}" if values else ""


def read(
    pairs: Sequence[tuple[str, str]],
    now_ms: int,
    default_since: str | None,
    known: Sequence[str] | None = None,
) -> Ask:
    """The meaning of a query. Raises UsageError for what it cannot be.

    default_since: how far back without `since`; None: everything. known: the parameters there are;
    None: others are left alone, as a page does with what an older link says.
    """
    given: dict[str, str] = {}
    for name, text in pairs:
        if known is not None and name not in known:
            told = ", ".join(sorted(known)) or "none"
            raise _wrong(name, text, "there is no such parameter here", f"there are: {told}")
        if name in given:
            raise _wrong(name, text, "it is given twice", "give it once")
        if len(text) > _MOST_TEXT or "\0" in text:
            raise _wrong(name, text[:20], "it is too long, or not a text", "give less")
        if text:
            given[name] = text
    window, until_now = _window(given, now_ms, default_since)
    where = Filter(
        window=window,
        server=given.get("server"),
        method=given.get("method"),
        tool=given.get("tool"),
        client=given.get("client"),
        outcome=_choice("outcome", given.get("outcome"), OUTCOMES),
        session=given.get("session"),
        id=given.get("id"),
        errors_only=_choice("errors", given.get("errors"), ("0", "1")) == "1",
    )
    limit = _number("limit", given["limit"], 1) if "limit" in given else None
    return Ask(given, now_ms, where, window, limit, until_now)


def _window(
    given: Mapping[str, str], now_ms: int, default_since: str | None
) -> tuple[Window, bool]:
    until = given.get("until")
    # The present millisecond is part of it.
    end_ms = now_ms + 1 if until is None else instant_ms(until, now_ms, zone=None)
    since = given.get("since")
    if since is not None:
        since_ms = instant_ms(since, now_ms, zone=None)
    elif default_since is None:
        since_ms = 0
    else:
        since_ms = max(0, min(end_ms, now_ms) - duration_ms(default_since))
    return Window(since_ms, end_ms), until is None


def _number(name: str, text: str | None, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:12]) <= 10**9:
        raise _wrong(name, text, "it is not a whole number from 1 on", "give a number such as 20")
    return int(text)


def _choice(name: str, text: str | None, choices: Sequence[Any]) -> Any:
    if text is not None and text not in choices:
        raise _wrong(name, text, "that is none of its values", f"there are: {', '.join(choices)}")
    return text


def _wrong(name: str, text: str, why: str, step: str) -> UsageError:
    return UsageError(f"cannot read {name}={text[:40]!r}", why, step, "usage.parameter")
