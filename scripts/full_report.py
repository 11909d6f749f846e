"""Runs the tests at full size and writes reports/full-DATE.md.

The report is made of pytest's own JUnit file: counts, figures that tests recorded with
`record_property`, the slowest tests. It holds no host name and no path of this machine: whoever
reads it learns what was measured on what kind of machine, not whose it was.
"""

import os
import platform
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "reports"
SCRATCH = ROOT / ".scratch"
#: Folders of tests that open no socket and wait for nobody.
COMPUTING = ("tests/protocol", "tests/pipeline", "tests/events")
TEST_SECONDS = 3600
SLOWEST = 10


@dataclass(frozen=True)
class Case:
    """One test that ran. state: passed, failed or skipped. figures: what it recorded, in order."""

    name: str
    seconds: float
    state: str
    figures: tuple[tuple[str, str], ...]


def read_cases(junit: str) -> list[Case]:
    """The tests of a JUnit file, in the order they ran."""
    # The file is our own pytest's, written a moment ago.
    return [_case(element) for element in ET.fromstring(junit).iter("testcase")]


def _case(element: ET.Element) -> Case:
    state = "passed"
    if element.find("failure") is not None or element.find("error") is not None:
        state = "failed"
    elif element.find("skipped") is not None:
        state = "skipped"
    file = element.get("classname", "").replace(".", "/") + ".py"
    return Case(
        name=f"{file}::{element.get('name')}",
        seconds=float(element.get("time", "0")),
        state=state,
        figures=tuple(
            (figure.get("name", ""), figure.get("value", ""))
            for figure in element.iterfind("properties/property")
            # Hypothesis keeps its own statistics there, for its own tools.
            if not figure.get("name", "").startswith("hypothesis-")
        ),
    )


def machine_facts() -> list[str]:
    """What kind of machine this is, without its name."""
    cpu = platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    except OSError:  # not Linux
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return [
        f"{os.cpu_count()} cores of {cpu}, {memory:.0f} GiB",
        f"{platform.system()} {platform.release().partition('-')[0]}",
        f"{platform.python_implementation()} {platform.python_version()}",
        f"load average after the run: {load}",
    ]


def render(day: str, cases: list[Case], facts: list[str]) -> str:
    """The report as Markdown."""
    return "\n".join(_lines(day, cases, facts)) + "\n"


def _lines(day: str, cases: list[Case], facts: list[str]) -> Iterator[str]:
    count = {
        state: sum(case.state == state for case in cases)
        for state in ("passed", "failed", "skipped")
    }
    yield f"# Tests at full size, {day}"
    yield ""
    yield "Written by `make test-full`."
    yield ""
    yield from (f"* {fact}" for fact in facts)
    yield ""
    yield ", ".join(f"{number} {state}" for state, number in count.items())
    yield from _table("Not passed", ("test", "state"), _rows_of_trouble(cases))
    yield from _table("Figures", ("test", "figure", "value"), _rows_of_figures(cases))
    slowest = sorted(cases, key=lambda case: -case.seconds)[:SLOWEST]
    rows = [(f"`{case.name}`", f"{case.seconds:.1f}") for case in slowest]
    yield from _table("Slowest", ("test", "seconds"), rows)


def _rows_of_trouble(cases: list[Case]) -> list[tuple[str, ...]]:
    return [(f"`{case.name}`", case.state) for case in cases if case.state != "passed"]


def _rows_of_figures(cases: list[Case]) -> list[tuple[str, ...]]:
    return [
        (f"`{case.name}`", name, value)
        for case in sorted(cases, key=lambda case: case.name)
        for name, value in case.figures
    ]


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if not rows:
        return
    yield from ("", f"## {title}", "", _row(head), _row(tuple("---" for _ in head)))
    yield from map(_row, rows)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> None:
    """Runs pytest; its summary stays the last line; exits with its code.

    What only computes runs beside the rest, for it disturbs nobody and there are two cores.
    """
    SCRATCH.mkdir(exist_ok=True)
    for name in ("computing", "rest"):
        _junit(name).unlink(missing_ok=True)
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    environment = os.environ | {"MCPR_TEST_SIZE": "full"}
    with (SCRATCH / "computing.log").open("w") as log:
        computing = subprocess.Popen(
            [*_pytest("computing"), *COMPUTING], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        ignored = [f"--ignore={folder}" for folder in COMPUTING]
        rest = subprocess.run([*_pytest("rest"), *ignored], cwd=ROOT, env=environment, check=False)
        computing.wait()
    junits = [_junit(name) for name in ("computing", "rest")]
    if all(junit.exists() for junit in junits):
        cases = [case for junit in junits for case in read_cases(junit.read_text())]
        REPORTS.mkdir(exist_ok=True)
        (REPORTS / f"full-{day}.md").write_text(render(day, cases, machine_facts()))
    sys.stdout.write((SCRATCH / "computing.log").read_text()[-2_000:])
    sys.exit(rest.returncode or computing.returncode)


def _junit(name: str) -> Path:
    return SCRATCH / f"full-{name}.xml"


def _pytest(name: str) -> list[str]:
    command = [sys.executable, "-m", "pytest", f"--timeout={TEST_SECONDS}"]
    # The form of the file in which a test case may have properties.
    return [*command, f"--junitxml={_junit(name)}", "-o", "junit_family=xunit1"]


if __name__ == "__main__":
    main()
