"""sinks/registry: names to sinks."""

import pytest

from mcpr.errors import UsageError
from mcpr.sinks import SINKS, make

TARGETS = {
    "access": "json:-",
    "alerts": '{"store":"s.db","rules":[],"interval":1.0}',
    "otlp": '{"scheme":"http","host":"127.0.0.1","port":4318,"path":"","headers":{},'
    '"timeout":1.0,"interval":1.0,"service_name":"mcpr"}',
    "prometheus": "",
    "sqlite": "store.db",
    "stderr": "json",
}


@pytest.mark.parametrize("name", SINKS)
def test_every_listed_sink_can_be_made_and_calls_itself_by_its_key(name: str) -> None:
    assert make(name, TARGETS[name]).name == name


def test_an_unknown_sink_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UsageError, match="sqlite, stderr"):
        make("kafka", "")
