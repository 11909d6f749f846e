"""What is worth remembering: recorded facts, their outcome, their ids, their form on the wire.

Pure: no socket, no clock, no file. Time and randomness come as arguments.
"""

from mcpr.events.batch import Batch
from mcpr.events.ids import Ids, to_text
from mcpr.events.link import Link, link_text, read_link
from mcpr.events.outcome import (
    KINDS,
    NOT_AN_ERROR,
    ORIGINS,
    OUTCOMES,
    Kind,
    Origin,
    Outcome,
    is_error,
)
from mcpr.events.types import Aside, Detail, RequestEvent, SessionEvent, SessionState

__all__ = [
    "KINDS",
    "NOT_AN_ERROR",
    "ORIGINS",
    "OUTCOMES",
    "Aside",
    "Batch",
    "Detail",
    "Ids",
    "Kind",
    "Link",
    "Origin",
    "Outcome",
    "RequestEvent",
    "SessionEvent",
    "SessionState",
    "is_error",
    "link_text",
    "read_link",
    "to_text",
]
