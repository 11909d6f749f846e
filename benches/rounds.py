"""Interleaved rounds: every subject in turn, again and again, compared only within a round.

The neighbours of a shared machine move all figures by a factor of two; they move the subjects
of one round about equally. So ratios are taken inside a round and their median is reported.
"""

import statistics
import time
from dataclasses import dataclass, field

from benches.subjects import Running, Subject, SubjectError

from benches import load, machine

WARM_UP_SECONDS = 1
DRAIN_SECONDS = 20.0
QUIET_SECONDS = 0.3  # rows must not have grown for so long; three flushes of 100 ms


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the report: where the load goes and what it is."""

    name: str
    path: str
    load: load.Load
    rounds: int


@dataclass(frozen=True, slots=True)
class Run:
    """One subject in one round."""

    cpu_us: float
    wrk: load.WrkResult
    recorded: int | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What all rounds say of one subject; `error` in place of figures when it could not run."""

    subject: str
    runs: list[Run] = field(default_factory=list)
    error: str | None = None

    @property
    def faults(self) -> list[str]:
        """Why its figures must not be used; empty when they may."""
        return [run.fault for run in self.runs if run.fault]

    @property
    def is_valid(self) -> bool:
        """True when every round went well."""
        return not self.error and not self.faults and bool(self.runs)

    @property
    def cpu_us(self) -> float:
        """Median CPU per request over the rounds, all processes of the subject."""
        return statistics.median(run.cpu_us for run in self.runs)

    @property
    def requests_per_second(self) -> float:
        """Median over the rounds."""
        return statistics.median(run.wrk.requests / run.wrk.duration_us * 1e6 for run in self.runs)

    @property
    def megabytes_per_second(self) -> float:
        """Median over the rounds, heads included."""
        return statistics.median(run.wrk.bytes / run.wrk.duration_us for run in self.runs)

    def latency_us(self, percentile: load.Percentile) -> float:
        """Median over the rounds of wrk's p50, p90 or p99."""
        return statistics.median(run.wrk.latency_us(percentile) for run in self.runs)

    @property
    def recorded(self) -> str:
        """Rows recorded / answers that wrk counted, over all rounds."""
        if any(run.recorded is None for run in self.runs):
            return "records nothing"
        rows = sum(run.recorded or 0 for run in self.runs)
        return f"{rows:,} / {sum(run.wrk.requests for run in self.runs):,}"


@dataclass(frozen=True, slots=True)
class Table:
    """The figures of one scenario, and the load average around it."""

    scenario: Scenario
    figures: dict[str, Figures]
    load_average: str

    def ratios(self, subject: str, to: str, what: str) -> list[float]:
        """The ratio within each round; empty when one of the two is missing or not valid.

        `what`: "cpu_us" or "p50_us".
        """
        ours, theirs = self.figures.get(subject), self.figures.get(to)
        if ours is None or theirs is None or not (ours.is_valid and theirs.is_valid):
            return []
        return [
            _value(a, what) / _value(b, what) for a, b in zip(ours.runs, theirs.runs, strict=True)
        ]

    def ratio(self, subject: str, to: str, what: str) -> float | None:
        """The median of `ratios`; None when there are none."""
        ratios = self.ratios(subject, to, what)
        return statistics.median(ratios) if ratios else None


def _value(run: Run, what: str) -> float:
    return run.cpu_us if what == "cpu_us" else run.wrk.p50_us


def measure(
    scenario: Scenario, subjects: list[Subject], upstream: str, cores: machine.Cores
) -> Table:
    """All rounds of one scenario; a subject that cannot run has its error in the table."""
    figures = {subject.name: Figures(subject.name) for subject in subjects}
    before = machine.load_average()
    for _ in range(scenario.rounds):
        for subject in subjects:
            if figures[subject.name].error:
                continue
            try:
                run = _measure_one(scenario, subject, upstream, cores)
            except (SubjectError, load.LoadError) as exc:
                figures[subject.name] = Figures(subject.name, error=str(exc))
            else:
                figures[subject.name].runs.append(run)
    return Table(scenario, figures, f"{before} before, {machine.load_average()} after")


def _measure_one(scenario: Scenario, subject: Subject, upstream: str, cores: machine.Cores) -> Run:
    pinned = ["taskset", "-c", str(cores.proxy)]
    first_ids = load.wrk_ids()
    with Running(subject, upstream + scenario.path, pinned) as running:
        load.shake_hands(running.url)
        warm_up = load.Load(scenario.load.heads, scenario.load.connections, WARM_UP_SECONDS)
        load.run_wrk(running.url, warm_up, next(first_ids), cores.load)
        drain(running, 0)
        pids, rows = running.pids(), running.recorded()
        before = {pid: machine.cpu_ns(pid) for pid in pids}
        result = load.run_wrk(running.url, scenario.load, next(first_ids), cores.load)
        is_complete = drain(running, (rows or 0) + result.requests)
        after = {pid: machine.cpu_ns(pid) for pid in pids if pid in running.pids()}
        recorded = None if rows is None else (running.recorded() or 0) - rows
    fault = result.fault
    if set(after) != set(before):
        fault = "a process of the subject ended during the run"
    elif not is_complete:
        fault = f"only {recorded} of {result.requests} requests were recorded"
    cpu_ns = sum(after[pid] - before[pid] for pid in after)
    return Run(cpu_ns / 1000 / max(result.requests, 1), result, recorded, fault)


def drain(running: Running, rows: int) -> bool:
    """Waits until at least `rows` are recorded and no more come; false when they do not.

    More may come than wrk counted: requests that were under way when it stopped.
    """
    last = running.recorded()
    if last is None:
        return True
    deadline = time.monotonic() + DRAIN_SECONDS
    quiet_since = time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(0.05)
        now = running.recorded() or 0
        if now != last:
            last, quiet_since = now, time.monotonic()
        elif now >= rows and time.monotonic() - quiet_since >= QUIET_SECONDS:
            return True
    return False
