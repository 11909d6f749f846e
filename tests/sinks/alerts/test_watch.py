"""sinks/alerts/watch: an alert is told when it begins, and when it is over."""

from mcpr.sinks.alerts.rules import Firing, Rule
from mcpr.sinks.alerts.watch import Watch

RATE = Rule("rate", "error_rate", 0.1, 1_000)
NEW = Rule("new", "new_error", 1.0, 1_000)
SLOW = Rule("slow", "p95", 1.0, 1_000)


def told(watch: Watch, rule: Rule, *keys: str) -> list[str]:
    news = watch.news(rule, [Firing(key, 1.0, "because") for key in keys], 5)
    return [f"{each.rule.name} {each.firing.key} {each.state}" for each in news]


def test_what_goes_on_is_told_once_and_its_end_too() -> None:
    watch = Watch()
    assert told(watch, RATE, "") == ["rate  firing"]
    assert told(watch, RATE, "") == []
    assert watch.firing == 1
    assert told(watch, RATE) == ["rate  resolved"]
    assert told(watch, RATE) == []
    assert told(watch, RATE, "") == ["rate  firing"]


def test_what_happens_is_told_once_and_is_never_over() -> None:
    watch = Watch()
    assert told(watch, NEW, "a", "b") == ["new a firing", "new b firing"]
    assert told(watch, NEW, "b") == []
    assert told(watch, NEW, "a", "c") == ["new c firing"]


def test_rules_do_not_end_each_other() -> None:
    watch = Watch()
    told(watch, RATE, "")
    assert told(watch, SLOW, "") == ["slow  firing"]
    assert told(watch, SLOW) == ["slow  resolved"]
    assert watch.firing == 1


def test_what_is_remembered_has_a_bound() -> None:
    watch = Watch()
    told(watch, NEW, *(str(n) for n in range(5_000)))
    assert watch.firing == 1_000
