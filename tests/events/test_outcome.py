"""events/outcome: closed lists, and which of them are errors."""

import pytest

from mcpr.events import KINDS, NOT_AN_ERROR, ORIGINS, OUTCOMES, Outcome, is_error


def test_no_word_stands_twice_in_a_list() -> None:
    for words in (KINDS, OUTCOMES, ORIGINS):
        assert len(set(words)) == len(words)


@pytest.mark.parametrize(
    "outcome", ["ok", "challenge", "probe", "cancelled", "client_gone", "unread"]
)
def test_what_went_as_it_should_is_no_error(outcome: Outcome) -> None:
    assert not is_error(outcome)


@pytest.mark.parametrize("outcome", sorted(set(OUTCOMES) - NOT_AN_ERROR))
def test_everything_else_counts_in_the_error_rate(outcome: Outcome) -> None:
    assert is_error(outcome)


def test_what_is_no_error_is_an_outcome() -> None:
    assert set(OUTCOMES) >= NOT_AN_ERROR
