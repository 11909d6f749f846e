"""What a server says it offers, gathered from answers as they pass: pages into whole lists.

`passing` reads one exchange that carried a list, `passes` merges the pages of a client's pass. What
a whole list means (its version, its changes) is for `store`, which remembers. Runs in the
companion: nothing here is decoded where calls travel (ADR 0002).
"""

from mcpr.pipeline.schema.passes import Passes, Snapshot
from mcpr.pipeline.schema.passing import (
    CHANGED,
    WATCHED,
    Page,
    Reading,
    merge_info,
    read_changed,
    read_passing,
)

__all__ = [
    "CHANGED",
    "WATCHED",
    "Page",
    "Passes",
    "Reading",
    "Snapshot",
    "merge_info",
    "read_changed",
    "read_passing",
]
