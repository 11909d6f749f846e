"""User-mode instructions per request: the figure that repeats on a noisy machine.

Two ways, chosen by what the machine has:

* hardware counters: warm up, read, send a fixed number of calls, wait for the record, read;
* valgrind (cachegrind without its cache model, the cheapest tool that counts): the whole life of
  the subject twice, with few and with many calls. Start, stop and warm-up cancel in
  (I(many) - I(few)) / (many - few).

Both count all processes of the subject. Under valgrind a proxy serves some ten times slower while
timers keep their pace, so what is done once per 20 ms would be shared by fewer requests. Its
clock is slowed by the same factor (slowclock.c); without that mcpr came out 7 % too high.
"""

import contextlib
import itertools
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benches.subjects import Running, Subject, SubjectError, compile_c

from benches import calls, hardware, load, rounds

CONNECTIONS = 64
# A hash seed of its own would give each of the two lives its own collisions in every dict.
STEADY = ["env", "PYTHONHASHSEED=0"]
SLOW_CLOCK = 10  # 28,000 requests per second on one core, 2,900 under cachegrind
VALGRIND = "valgrind (cachegrind)"
COUNTERS = "hardware counters"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of calls: `few` warm up or are subtracted, `many - few` (or `many`) are measured.

    heads: whether each call has a header that was never seen.
    """

    few: int = 2_000
    many: int = 12_000
    heads: load.Heads = "seen"


@dataclass(frozen=True, slots=True)
class InstructionReport:
    """User-mode instructions per request; `first` is the process that was started."""

    subject: str
    method: str
    requests: int
    first: float
    others: float

    @property
    def per_request(self) -> float:
        """All processes together: for mcpr the data plane and its companion."""
        return self.first + self.others


@dataclass(frozen=True, slots=True)
class _Count:
    first: int
    others: int


def measure(subject: Subject, upstream: str, sizes: Sizes | None = None) -> InstructionReport:
    """Instructions per tools/call, recording on if the subject records.

    `upstream`: the MCP endpoint; `/sse` answers with events. Raises SubjectError when neither
    counters nor valgrind are there or the subject cannot run, LoadError when a call fails or is
    not recorded.
    """
    sizes = sizes or Sizes()
    report = _by_counters(subject, upstream, sizes)
    return report or _by_valgrind(subject, upstream, sizes)


def _by_counters(subject: Subject, upstream: str, sizes: Sizes) -> InstructionReport | None:
    with Running(subject, upstream) as running:
        ids = calls.request_ids()
        load.shake_hands(running.url)
        _send_and_drain(running, ids, sizes.few, sizes.heads)
        counters = hardware.open_counters(running.pids())
        if counters is None:
            return None
        with contextlib.closing(counters):
            _send_and_drain(running, ids, sizes.many, sizes.heads)
            counts = counters.read()
    first = counts.pop(running.process.pid)
    others = sum(counts.values())
    per_call = (first / sizes.many, others / sizes.many)
    return InstructionReport(subject.name, COUNTERS, sizes.many, *per_call)


def _by_valgrind(subject: Subject, upstream: str, sizes: Sizes) -> InstructionReport:
    if shutil.which("valgrind") is None:
        raise SubjectError(
            "instructions cannot be counted: this machine has no hardware counters and "
            "valgrind is not installed; run scripts/setup bench"
        )
    few = _count_life(subject, upstream, sizes.few, sizes.heads)
    many = _count_life(subject, upstream, sizes.many, sizes.heads)
    measured = sizes.many - sizes.few
    return InstructionReport(
        subject.name,
        VALGRIND,
        measured,
        (many.first - few.first) / measured,
        (many.others - few.others) / measured,
    )


def _count_life(subject: Subject, upstream: str, number: int, heads: load.Heads) -> _Count:
    """Instructions of a subject from its start to its end, with `number` calls in between."""
    with tempfile.TemporaryDirectory(prefix="mcpr-bench-") as folder:
        counts = Path(folder)
        tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--trace-children=yes", "-q"]
        wrapper = [*STEADY, *_slow_clock(subject), *tool, f"--cachegrind-out-file={counts}/%p"]
        with Running(subject, upstream, wrapper) as running:
            load.shake_hands(running.url)
            _send_and_drain(running, calls.request_ids(), number, heads)
            pids = running.pids()
            running.stop()
            first = running.process.pid
        by_pid = {int(path.name): _total(path) for path in counts.iterdir()}
    missing = set(pids) - set(by_pid)
    if missing:
        raise SubjectError(
            f"{subject.name}: {len(missing)} of {len(pids)} processes left no count: they were "
            "killed or still ran; SIGTERM must end them all"
        )
    return _Count(by_pid.pop(first), sum(by_pid.values()))


def _slow_clock(subject: Subject) -> list[str]:
    """Variables that slow the clock of the subject, for the command `env`."""
    if not subject.clock_can_be_slowed:
        return []
    library = compile_c("slowclock.c", "slowclock.so", "-shared", "-fPIC")
    return [f"LD_PRELOAD={library}", f"SLOW_CLOCK={SLOW_CLOCK}"]


def _send_and_drain(running: Running, ids: Iterator[int], number: int, heads: load.Heads) -> None:
    rows = running.recorded() or 0
    load.send_calls(running.url, itertools.islice(ids, number), CONNECTIONS, heads)
    if not rounds.drain(running, rows + number):
        raise load.LoadError(
            f"{running.subject.name} recorded {(running.recorded() or 0) - rows} of {number} calls"
        )


def _total(path: Path) -> int:
    found = re.search(r"^summary: (\d+)", path.read_text(), re.MULTILINE)
    if found is None:
        raise SubjectError(f"valgrind left no sum in its count of process {path.name}")
    return int(found[1])
