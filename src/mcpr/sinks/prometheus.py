"""Events as running totals, for /metrics: counters and histograms with bounded labels.

A sink like any other, so that its losses are counted like those of any other. It keeps sums since
the process began and no event; `snapshot` is for whoever shows them. Labels are words of the public
part only, and however many different ones callers think of, the number of series has a bound.
"""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Final, NamedTuple, TypeVar

import msgspec

from mcpr.events import Batch, RequestEvent
from mcpr.events.batch import Label
from mcpr.events.known_names import KnownNames

#: Upper bounds in seconds: those of the OpenTelemetry conventions for MCP, and four below them,
#: because a proxy's calls can be faster than that.
BOUNDS: Final = (
    *(0.001, 0.0025, 0.005),
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0),
)
_BOUNDS_US: Final = tuple(round(bound * 1_000_000) for bound in BOUNDS)
#: So many tools have a name of their own in one process; the rest is `_other`.
MOST_TOOLS: Final = 256
#: So many series `mcpr_requests_total` may have before new ones lose their tool and client.
MOST_SERIES: Final = 4096
OTHER: Final = "_other"
_OTHER_CLIENT: Final = "other"
_MOST_REMEMBERED: Final = 4096

_T = TypeVar("_T")


class RequestKey(NamedTuple):
    """What requests are counted by. Empty: there is none."""

    server: str
    kind: str
    method: str
    tool: str
    client: str
    outcome: str
    origin: str


class SubjectKey(NamedTuple):
    """What durations and bytes are counted by."""

    server: str
    kind: str
    method: str
    tool: str


class Histogram(msgspec.Struct):
    """Durations by `BOUNDS`, and their sum. counts: the last one is for what is above them all."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    sum_us: int = 0

    def add(self, values_us: Sequence[int]) -> None:
        """Count durations in µs."""
        for place, count in Counter(map(bisect_left, repeat(_BOUNDS_US), values_us)).items():
            self.counts[place] += count
        self.sum_us += sum(values_us)

    def copy(self) -> "Histogram":
        """The numbers as they are now."""
        return Histogram(list(self.counts), self.sum_us)


class Sums(msgspec.Struct):
    """What is added up of requests with one subject. latency, upstream: of `rpc` only."""

    latency: Histogram = msgspec.field(default_factory=Histogram)
    upstream: Histogram = msgspec.field(default_factory=Histogram)
    bytes_in: int = 0
    bytes_out: int = 0

    def copy(self) -> "Sums":
        """The numbers as they are now."""
        return Sums(self.latency.copy(), self.upstream.copy(), self.bytes_in, self.bytes_out)


class Snapshot(NamedTuple):
    """The totals at one moment. folded: requests whose labels a bound took away."""

    requests: dict[RequestKey, int]
    sums: dict[SubjectKey, Sums]
    folded: int


class PrometheusSink:
    """Adds events up. Its target is not used.

    most_tools, most_series: the bounds. names: the tools that servers have listed; where one has,
    its other tools are counted together.
    """

    name = "prometheus"
    batch_events = 2_000
    # Fewer and larger batches cost less; a scrape is this much behind, which nobody sees.
    linger_seconds = 0.1
    retry_seconds = 0.0

    def __init__(
        self, target: str = "", most_tools: int = MOST_TOOLS, most_series: int = MOST_SERIES
    ) -> None:
        self._most_tools = most_tools
        self._most_series = most_series
        self._lock = threading.Lock()
        self._tools: set[tuple[str, str]] = set()
        self._requests: dict[RequestKey, int] = {}
        self._sums: dict[SubjectKey, Sums] = {}
        self._keys: dict[Label, tuple[RequestKey, SubjectKey, bool]] = {}
        self._folded = 0
        self.names = KnownNames()
        self._generation = 0

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """The totals stay: somebody may still ask for them."""

    def write(self, batch: Sequence[RequestEvent]) -> int:
        """Add the batch."""
        columns = Batch.of(batch).columns
        with self._lock:
            if self._generation != self.names.generation:
                # A list was seen: what was a tool's name may be none.
                self._generation = self.names.generation
                self._keys.clear()
            for number, places in _by_label(columns.label):
                pick = _picker(places)
                request, subject, is_folded = self._key(columns.labels[number])
                self._requests[request] = self._requests.get(request, 0) + len(places)
                self._folded += len(places) * is_folded
                sums = self._sums.get(subject)
                if sums is None:
                    sums = self._sums[subject] = Sums()
                sums.bytes_in += sum(pick(columns.bytes_in))
                sums.bytes_out += sum(pick(columns.bytes_out))
                if subject.kind == "rpc":
                    sums.latency.add(pick(columns.latency_us))
                    upstream = pick(columns.upstream_us)
                    sums.upstream.add([value for value in upstream if value is not None])
        return len(batch)

    def snapshot(self) -> Snapshot:
        """The totals as they are now."""
        with self._lock:
            return Snapshot(
                dict(self._requests),
                {key: sums.copy() for key, sums in self._sums.items()},
                self._folded,
            )

    def _key(self, label: Label) -> tuple[RequestKey, SubjectKey, bool]:
        """The series of a label, and whether it is not the one it would have without a bound."""
        found = self._keys.get(label)
        if found is None:
            found = self._new_key(label)
            if len(self._keys) >= _MOST_REMEMBERED:
                self._keys.clear()
            self._keys[label] = found
        return found

    def _new_key(self, label: Label) -> tuple[RequestKey, SubjectKey, bool]:
        server, kind, method, tool, outcome, origin, _, _, client, *_ = label
        if self.names.has_list(server):
            tool = self.names.tool(server, tool)
        shown = tool or ""
        if shown not in ("", OTHER) and (server, shown) not in self._tools:
            if len(self._tools) < self._most_tools:
                self._tools.add((server, shown))
            else:
                shown = OTHER
        request = RequestKey(server, kind, method or "", shown, client or "", outcome, origin or "")
        if request not in self._requests and len(self._requests) >= self._most_series:
            request = request._replace(
                tool=OTHER if tool else "", client=_OTHER_CLIENT if client else ""
            )
        is_folded = (request.tool, request.client) != (tool or "", client or "")
        return request, SubjectKey(server, kind, method or "", shown), is_folded


def _by_label(numbers: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    """Each label's number, and the places of the events that have it."""
    if len(set(numbers)) == 1:
        # One tool and one caller: most batches of a busy proxy.
        yield numbers[0], range(len(numbers))
        return
    places: dict[int, list[int]] = {}
    for place, number in enumerate(numbers):
        places.setdefault(number, []).append(place)
    yield from places.items()


def _picker(places: Sequence[int]) -> Callable[[Sequence[_T]], Sequence[_T]]:
    """What picks the values at these places out of a column."""
    if len(places) > 1:
        return itemgetter(*places)
    place = places[0]
    return lambda column: (column[place],)


def cumulative(counts: Iterable[int]) -> list[int]:
    """How many values are at most each bound."""
    total = 0
    sums = []
    for count in counts:
        total += count
        sums.append(total)
    return sums
