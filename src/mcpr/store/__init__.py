"""What happened? Events on this machine's disk, and the questions that can be asked of them.

`store.sqlite` writes and reads the file; `store.questions` asks; `store.window` knows the words for
time. Nothing here knows where events come from or who looks at the answers.
"""

from mcpr.store.engine import (
    Cursor,
    Dimension,
    EventStore,
    Failure,
    Filter,
    Measure,
    Recorded,
    SessionCount,
    SessionRecord,
    Share,
    Steps,
    TrailStep,
    Volume,
)
from mcpr.store.window import Window, duration_ms, instant_ms

__all__ = [
    "Cursor",
    "Dimension",
    "EventStore",
    "Failure",
    "Filter",
    "Measure",
    "Recorded",
    "SessionCount",
    "SessionRecord",
    "Share",
    "Steps",
    "TrailStep",
    "Volume",
    "Window",
    "duration_ms",
    "instant_ms",
]
