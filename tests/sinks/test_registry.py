"""sinks/registry: names to sinks."""

import pytest

from mcpr.errors import UsageError
from mcpr.sinks import SINKS, make

TARGETS = {"access": "json:-", "prometheus": "", "sqlite": "store.db", "stderr": "json"}


@pytest.mark.parametrize("name", SINKS)
def test_every_listed_sink_can_be_made_and_calls_itself_by_its_key(name: str) -> None:
    assert make(name, TARGETS[name]).name == name


def test_an_unknown_sink_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UsageError, match="sqlite, stderr"):
        make("kafka", "")
