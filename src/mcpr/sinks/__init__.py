"""Where events go: one bounded lane per sink, closed counts, a drain with a deadline.

A sink is one file here and one line in `SINKS`. Each sink has its own queue and its own thread, so
that a slow or failing one delays neither another nor the process that hands the events in.
"""

from mcpr.sinks.bus import Bus
from mcpr.sinks.counts import Counts, Reason, Tally
from mcpr.sinks.registry import SINKS, make
from mcpr.sinks.sink import Sink

__all__ = ["SINKS", "Bus", "Counts", "Reason", "Sink", "Tally", "make"]
