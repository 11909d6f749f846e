"""settings/tables/alert: what somebody wants to hear of, and the rule that it means."""

from collections.abc import Mapping

import pytest
from tests.settings.reading import SERVER, mistakes_of, settings_of


def rule(text: str) -> Mapping[str, object]:
    (alert,) = settings_of(f'{SERVER}[[alert]]\nname = "a"\n{text}').alert
    return alert.rule


RULES = {
    'error_rate = "5%"': ("error_rate", 0.05, 300_000),
    'error_rate = "0.5"\nwindow = "1m"': ("error_rate", 0.5, 60_000),
    'p95 = "500ms"': ("p95", 500_000, 300_000),
    'p99 = "2s"': ("p99", 2_000_000, 300_000),
    'silence = "10m"': ("silence", 600_000, 600_000),
    "new_error = true": ("new_error", 1.0, 300_000),
    'schema = "risky"': ("schema", "risky", 300_000),
}


@pytest.mark.parametrize("text", RULES)
def test_a_condition_means_a_rule(text: str) -> None:
    found = rule(text)
    assert (found["metric"], found["limit"], found["window_ms"]) == RULES[text]


def test_everything_else_is_handed_on() -> None:
    found = rule(
        'p95 = "1s"\nmin_calls = 3\nserver = "w"\ntool = "t"\n'
        'webhook = "https://h.example/x"\nsecret = "s"\n'
    )
    assert (found["min_calls"], found["server"], found["tool"]) == (3, "w", "t")
    assert (found["url"], found["secret"]) == ("https://h.example/x", "s")


MISTAKES = {
    "": "an alert has one condition, and none is given",
    'p95 = "1s"\nsilence = "1m"': "and p95 and silence are given",
    'error_rate = "200%"': "is more than all",
    'error_rate = "much"': "is not a rate",
    'schema = "bad"': "is none of",
    'p95 = "1s"\nwebhook = "ftp://x"': "has the scheme",
    'p95 = "1s"\nwindow = "1s"': "is out of bounds",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told(text: str) -> None:
    told = "\n".join(mistakes_of(f'{SERVER}[[alert]]\nname = "a"\n{text}\n'))
    assert MISTAKES[text] in told
