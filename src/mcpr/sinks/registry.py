"""The list of sinks: name → "module:attribute", imported when asked for."""

import importlib
from collections.abc import Callable
from typing import cast

from mcpr.errors import UsageError
from mcpr.sinks.sink import Sink

# The attribute is called with one text, the sink's target, and gives a Sink.
SINKS: dict[str, str] = {
    "alerts": "mcpr.sinks.alerts:AlertSink",  # target: see alerts/sink.Target
    "access": "mcpr.sinks.access:AccessSink",  # target: json or text, a colon, a path or -
    "otlp": "mcpr.sinks.otlp:OtlpSink",  # target: see otlp_post.Target
    "prometheus": "mcpr.sinks.prometheus:PrometheusSink",  # target: not used
    "sqlite": "mcpr.sinks.sqlite:SqliteSink",  # target: the store's file
    "stderr": "mcpr.sinks.stderr:StderrSink",  # target: pretty or json
}


def make(name: str, target: str) -> Sink:
    """Make the sink `name`. Raises UsageError for a name that is not in SINKS."""
    place = SINKS.get(name)
    if place is None:
        raise UsageError(
            f"cannot send events to {name!r}",
            "there is no such sink",
            f"use one of {', '.join(sorted(SINKS))}",
            "sink.unknown",
        )
    module, _, attribute = place.partition(":")
    maker = cast("Callable[[str], Sink]", getattr(importlib.import_module(module), attribute))
    return maker(target)
