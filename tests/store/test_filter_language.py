"""store/filter_language: words that say which requests are meant."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpr.errors import UsageError
from mcpr.store import Filter, Window
from mcpr.store.filter_language import WORDS, read_filter

MEANINGS = {
    "": Filter(),
    "  ": Filter(),
    "tool:get_weather": Filter(tool="get_weather"),
    "TOOL:x": Filter(tool="x"),
    'tool:"two words" server:a': Filter(tool="two words", server="a"),
    "method:tools/call kind:rpc": Filter(method="tools/call", kind="rpc"),
    "status:error": Filter(errors_only=True),
    "status:timeout": Filter(outcome="timeout"),
    "outcome:timeout": Filter(outcome="timeout"),
    "client:claude session:AB12 id:01-98": Filter(client="claude", session="ab12", id="0198"),
    "latency:>500ms": Filter(min_us=500_001),
    "latency:>=1.5s": Filter(min_us=1_500_000),
    "latency:500us": Filter(min_us=500),
    "latency:<2m": Filter(max_us=119_999_999),
    "latency:>=10ms latency:<=20ms": Filter(min_us=10_000, max_us=20_000),
    "tool:a tool:a": Filter(tool="a"),
    "tool:a:b": Filter(tool="a:b"),
}


@pytest.mark.parametrize("text", MEANINGS)
def test_words_mean_a_filter(text: str) -> None:
    assert read_filter(text) == MEANINGS[text]


def test_words_are_added_to_what_is_asked_for_already() -> None:
    window = Window(1, 2)
    assert read_filter("tool:a", Filter(window=window)) == Filter(window=window, tool="a")


MISTAKES = {
    "weather": "'weather' is no name:value",
    "tool:": "tool: says nothing",
    'tool:""': "tool: says nothing",
    'tool:"a"b': "is no name:value",
    "tol:a": "there is no word tol:, probably tool: is meant",
    "tool:a tool:b": "tool: is said twice, and differently",
    "status:bad": "there is no status 'bad'",
    "kind:x": "there is no kind 'x'",
    "latency:fast": "'fast' is no latency",
    "latency:>5": "'>5' is no latency",
    "session:xyz": "hex digits",
    'tool:"open': "is no name:value",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_what_to_write(text: str) -> None:
    with pytest.raises(UsageError, match="cannot") as refused:
        read_filter(text)
    assert MISTAKES[text] in str(refused.value)
    assert refused.value.next_step


def test_every_example_is_readable() -> None:
    for name, example in WORDS.items():
        assert example.startswith(f"{name}:")
        assert read_filter(example) != Filter()


@given(st.text(max_size=60) | st.text(alphabet='tol:"a <>5ms', max_size=30))
def test_any_text_is_a_filter_or_a_mistake(text: str) -> None:
    with contextlib.suppress(UsageError):
        read_filter(text)
