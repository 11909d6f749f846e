"""make bench: measures nginx, mcpr and the Rust mcpr beside each other.

    python -m benches.run [--quick] [--report]

--quick takes one short round of everything; --report writes benches/reports/DATE-first-call.md,
otherwise the report goes to the terminal. Ends with 1 when a figure of mcpr or nginx is missing
or invalid; a target that is not reached is the report's business.
"""

import argparse
import datetime as dt
import os
import sys
from pathlib import Path

from benches.load import Load
from benches.rounds import Scenario, Table, measure

from benches import instructions, load, machine, report, subjects

REPORTS = Path(__file__).parent / "reports"


def scenarios(is_quick: bool) -> dict[str, Scenario]:
    """The rows of the report."""
    rounds, seconds, brief = (1, 1, 1) if is_quick else (3, 4, 2)
    one_each = Load("traceparent", seconds=seconds)
    single, long = Load(connections=1, seconds=brief), Load(connections=4, seconds=brief)
    return {
        "seen": Scenario("JSON answers, heads seen", "/mcp", Load(seconds=seconds), rounds),
        "traceparent": Scenario("JSON answers, a fresh traceparent each", "/mcp", one_each, rounds),
        "sse": Scenario("SSE answers, heads seen", "/sse", Load(seconds=seconds), rounds),
        "one": Scenario("Latency at one connection", "/mcp", single, rounds),
        "big": Scenario("10 MB answers, Content-Length", "/big", long, rounds),
        "big-chunked": Scenario("10 MB answers, chunked", "/big-chunked", long, rounds),
    }


def measure_all(is_quick: bool) -> report.Results:
    """Everything, in the order of the report."""
    cores = machine.Cores.choose()
    os.sched_setaffinity(0, {cores.load})
    proxies: list[subjects.Subject] = [
        subjects.Nginx(),
        subjects.Mcpr(),
        subjects.RustMcpr(),
    ]
    wide = subjects.Nginx("nginx, buffer 256k", buffer="256k")
    tables: dict[str, Table] = {}
    counts: dict[str, instructions.InstructionReport | str] = {}
    with subjects.running_upstream(cores.load) as upstream:
        for key, scenario in scenarios(is_quick).items():
            _say(scenario.name)
            measured = [*proxies, wide] if key.startswith("big") else proxies
            tables[key] = measure(scenario, measured, upstream, cores)
        sizes = instructions.Sizes(500, 2_500) if is_quick else instructions.Sizes()
        for proxy in proxies:
            _say(f"instructions of {proxy.name}")
            try:
                counts[proxy.name] = instructions.measure(proxy, upstream + "/mcp", sizes)
            except (subjects.SubjectError, load.LoadError) as exc:
                counts[proxy.name] = str(exc)
    versions = [proxy.version() for proxy in proxies]
    versions.append(machine.first_line(["wrk", "-v"]).partition(" Copyright")[0])
    day = dt.datetime.now(dt.UTC).date()
    return report.Results(day, machine.facts(), versions, tables, counts, is_quick)


def _say(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


def _is_complete(results: report.Results) -> bool:
    ours = ("nginx", "mcpr")
    return all(
        table.figures[name].is_valid for table in results.tables.values() for name in ours
    ) and not any(isinstance(results.instructions[name], str) for name in ours)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures nginx, mcpr and the Rust mcpr.")
    parser.add_argument("--quick", action="store_true", help="one short round of everything")
    parser.add_argument("--report", action="store_true", help="write benches/reports/DATE-….md")
    arguments = parser.parse_args()
    try:
        _say("installing the Rust mcpr, if it is missing (some minutes)")
        subjects.install_rust()
    except subjects.SubjectError as exc:
        print(exc, file=sys.stderr)
    results = measure_all(arguments.quick)
    text = report.write(results)
    if arguments.report:
        REPORTS.mkdir(exist_ok=True)
        path = REPORTS / f"{results.day.isoformat()}-first-call.md"
        path.write_text(text)
        print(f"wrote benches/reports/{path.name}")
    else:
        print(text)
    return 0 if _is_complete(results) else 1


if __name__ == "__main__":
    sys.exit(main())
