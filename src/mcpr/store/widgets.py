"""What widgets declared and were told, as a store has it. Knows no rule: policies are JSON here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WidgetPolicy:
    """One policy of one widget. Times of its first and last sighting in epoch ms.

    declared, emitted: JSON, lists of sources by directive. sightings: at most one in ten minutes.
    """

    server: str
    uri: str
    declared: str
    emitted: str
    first_ms: int
    last_ms: int
    sightings: int
