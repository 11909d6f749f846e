"""The words for lists, and for how bad a change is."""

from mcpr.events.schema import LISTS, worst
from mcpr.events.schema.lists import KEYS


def test_the_worst_of_several_is_said() -> None:
    assert worst(["cosmetic", "breaking", "risky"]) == "breaking"
    assert worst(["cosmetic", "risky"]) == "risky"
    assert worst([]) == "cosmetic"


def test_every_list_has_a_key() -> None:
    assert set(KEYS) == set(LISTS)
