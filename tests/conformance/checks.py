"""What one run of the conformance suite found, and how two runs differ.

Pure but for reading the suite's result folder. It knows nothing of proxies and makes no exceptions:
whoever compares says what may differ.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

COMPARED_STATUSES = frozenset({"SUCCESS", "FAILURE", "WARNING", "SKIPPED"})
"""The suite's verdicts. INFO entries are traces of the wire, with times in them."""

CRASHED_CHECK = "scenario-ran-to-its-end"
"""Our name for the check that fails when a scenario threw and left no checks.json."""

_FOLDER_NAME = re.compile(r"server-(?P<scenario>.+)-\d{4}-\d{2}-\d{2}T[\d-]+Z")
_CRASH_LINE = re.compile(
    r"^Failed to run scenario (?P<scenario>\S+): (?P<reason>.*)$", re.MULTILINE
)
_PORT = re.compile(r"\b(localhost|127\.0\.0\.1):\d+")


class _StoredCheck(msgspec.Struct, rename="camel"):
    """The members we compare of one entry of a checks.json; the others differ in every run."""

    id: str
    status: str
    error_message: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Check:
    """One verdict of the suite.

    reason: the suite's error message without port numbers. It is compared too: most checks fail
    against a server that lacks the suite's test tools, and a proxy that broke them would let them
    fail all the same, only for another reason.
    """

    id: str
    status: str
    reason: str

    def __str__(self) -> str:
        return f"{self.id} {self.status}" + (f" ({self.reason})" if self.reason else "")


Report = Mapping[str, Counter[Check]]
"""Scenario → its checks, as a multiset. A scenario that ran without a verdict maps to nothing."""


def read_report(folder: Path, output: str) -> Report:
    """The report of one run: `folder` is what `--output-dir` named, `output` its standard output.

    Raises ValueError for a folder whose name is not the suite's.
    """
    crashes = {match["scenario"]: match["reason"] for match in _CRASH_LINE.finditer(output)}
    report: dict[str, Counter[Check]] = {}
    for scenario_folder in sorted(folder.iterdir()):
        name = _FOLDER_NAME.fullmatch(scenario_folder.name)
        if name is None:
            raise ValueError(f"{scenario_folder} is not named server-SCENARIO-TIME")
        checks = report.setdefault(name["scenario"], Counter())
        stored = scenario_folder / "checks.json"
        if stored.exists():
            checks.update(_parse_checks(stored.read_bytes()))
        else:
            reason = crashes.get(name["scenario"], "the suite gave no reason")
            checks[Check(CRASHED_CHECK, "FAILURE", _without_ports(reason))] += 1
    return report


def read_requirements(path: Path) -> set[str]:
    """The scenarios of a server that a requirements file of the suite names.

    The file is YAML of which we need one list of plain words; a parser of YAML would be a package
    more for that.
    """
    names: set[str] = set()
    is_server = False
    for line in path.read_text().splitlines():
        if line[:1].isalpha():
            is_server = line == "server:"
        elif is_server and line.startswith("  - "):
            names.add(line.removeprefix("  - ").strip())
    return names


def count_verdicts(report: Report) -> tuple[int, int]:
    """How many checks passed and failed, as the suite's summary counts them."""
    statuses = Counter(check.status for checks in report.values() for check in checks.elements())
    return statuses["SUCCESS"], statuses["FAILURE"]


def find_differences(direct: Report, through: Report, ignoring: Iterable[str] = ()) -> list[str]:
    """Every check that one run has and the other has not, one readable line each.

    A scenario of one side only is a difference of its own, so that an empty one counts too.
    ignoring: names of scenarios that the caller compares by other means.
    """
    lines: list[str] = []
    for scenario in sorted((direct.keys() | through.keys()) - set(ignoring)):
        for side, here, there in (("direct", direct, through), ("through", through, direct)):
            if scenario not in there:
                lines.append(f"{scenario}: ran {side} only")
            only_here = here.get(scenario, Counter()) - there.get(scenario, Counter())
            lines.extend(
                f"{scenario}: {side} only: {check}" for check in sorted(only_here.elements())
            )
    return lines


def _parse_checks(raw: bytes) -> list[Check]:
    return [
        Check(entry.id, entry.status, _without_ports(entry.error_message))
        for entry in msgspec.json.decode(raw, type=list[_StoredCheck])
        if entry.status in COMPARED_STATUSES
    ]


def _without_ports(text: str) -> str:
    return _PORT.sub(r"\1:PORT", text)
