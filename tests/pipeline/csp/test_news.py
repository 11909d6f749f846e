"""What is new of widgets is told once, and of a bounded size."""

import json

from hypothesis import given
from hypothesis import strategies as st

from mcpr.pipeline.csp import Widget, WidgetNews, news
from mcpr.pipeline.csp.news import pack_widget, read_widget
from mcpr.pipeline.csp.rules import DIRECTIVES

MINUTE = 60_000_000_000
A = Widget("ui://a", {"connect": ("https://a.example",)}, {"connect": ()})
CHANGED = Widget("ui://a", {}, {"connect": ()})
B = Widget("ui://b", {}, {})


def test_a_widget_is_told_once_until_it_changes() -> None:
    told = WidgetNews()
    assert len(told.of([A, B], MINUTE)) == 2
    assert told.of([A, B, A], 2 * MINUTE) == []
    assert [read_widget(packed) for packed in told.of([CHANGED, B], 3 * MINUTE)] == [CHANGED]


def test_it_is_told_again_after_ten_minutes() -> None:
    told = WidgetNews()
    told.of([A], MINUTE)
    assert told.of([A], 10 * MINUTE) == []
    assert len(told.of([A], 11 * MINUTE)) == 1


def test_what_is_remembered_has_a_bound() -> None:
    told = WidgetNews()
    told.of([Widget(f"ui://{n}", {}, {}) for n in range(5_000)], MINUTE)
    assert len(told._told) <= 1_000


@given(
    st.text(),
    st.dictionaries(st.sampled_from(DIRECTIVES), st.lists(st.text(), max_size=3).map(tuple)),
)
def test_any_widget_is_packed_into_text_that_a_file_can_hold(
    uri: str, policy: dict[str, tuple[str, ...]]
) -> None:
    widget = Widget(uri, policy, policy)  # type: ignore[arg-type]  # the keys are directives
    again = read_widget(pack_widget(widget))
    assert list(again.declared) == [name for name in DIRECTIVES if name in policy]
    json.dumps(again.declared, ensure_ascii=False).encode()


def test_a_huge_policy_is_cut() -> None:
    sources = tuple(f"https://{n}{'x' * 10_000}" for n in range(500))
    packed = pack_widget(Widget("ui://" + "x" * 100_000, {"connect": sources}, {}))
    assert len(packed) < news._MOST_SOURCES * news._LONGEST_SOURCE + 10_000
