"""What is firing, and what of it is news: an alert is told when it begins and when it is over."""

from typing import Final, Literal, NamedTuple

from mcpr.sinks.alerts.rules import Firing, Rule

State = Literal["firing", "resolved"]

#: Events by nature: they are told once, and are never over.
_ONCE: Final = frozenset({"new_error", "schema"})
_MOST_REMEMBERED: Final = 1_000


class News(NamedTuple):
    """What has to be told. at_ms: when it was found out, epoch ms."""

    rule: Rule
    state: State
    firing: Firing
    at_ms: int


class Watch:
    """Remembers what is firing. Forgets what was told longest ago, beyond a bound."""

    def __init__(self) -> None:
        self._firing: dict[tuple[str, str], Firing] = {}

    def news(self, rule: Rule, found: list[Firing], now_ms: int) -> list[News]:
        """What is new since the last time that this rule was looked at."""
        known = self._firing
        told = []
        for firing in found:
            key = (rule.name, firing.key)
            if key not in known:
                told.append(News(rule, "firing", firing, now_ms))
            known[key] = firing
        if rule.metric not in _ONCE:
            now = {firing.key for firing in found}
            over = [key for key in known if key[0] == rule.name and key[1] not in now]
            told += [News(rule, "resolved", known.pop(key), now_ms) for key in over]
        while len(known) > _MOST_REMEMBERED:
            known.pop(next(iter(known)))
        return told

    @property
    def firing(self) -> int:
        """How much is firing now, of what can be over."""
        return len(self._firing)
