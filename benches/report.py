"""The report as Markdown: machine, configuration, rows, targets. No path, no host name."""

import re
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benches.instructions import InstructionReport

from benches import rounds, subjects, targets

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that one bench measured."""

    day: date
    facts: dict[str, str]
    versions: list[str]
    tables: dict[str, rounds.Table]
    instructions: dict[str, InstructionReport | str]
    is_quick: bool


def scrub(text: str) -> str:
    """The text of an error without paths of this machine and without registry addresses."""
    folder = re.escape(tempfile.gettempdir())
    for pattern, replacement in (
        (rf"{folder}/mcpr-bench-\w+", "FOLDER"),
        (re.escape(str(HERE.parent)), "."),
        (re.escape(str(Path.home())) + r"(?=/)", "~"),
        (r"https?://(?!127\.0\.0\.1|localhost)[^\s`'\")]+", "(address)"),
        (r"`[^`]+` index", "index"),
    ):
        text = re.sub(pattern, replacement, text)
    return text


def write(results: Results) -> str:
    """The whole report."""
    parts = [
        f"# The first recorded call: bench of {results.day.isoformat()}",
        _warning(results),
        "## Targets\n\n" + _targets(results),
        "## Machine\n\n" + _facts(results),
        *(_section(table) for table in results.tables.values()),
        "## User-mode instructions per request\n\n" + _instructions(results),
        "## Configuration\n\n" + _configuration(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _warning(results: Results) -> str:
    if not results.is_quick:
        return ""
    return "**Quick run: one short round each. For orientation only, not for a comparison.**"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _targets(results: Results) -> str:
    rows = [
        [target.demand, f"≤ {target.limit:,g}", target.shown, target.verdict]
        for target in targets.check(results.tables, results.instructions)
    ]
    return _table(["target", "limit", "measured", "verdict"], rows)


def _facts(results: Results) -> str:
    rows = [[name, value] for name, value in results.facts.items()]
    rows.append(["Programs", ", ".join(results.versions)])
    return _table(["fact", "value"], rows)


def _section(table: rounds.Table) -> str:
    if table.scenario.load.connections == 1:
        body = _latency_rows(table)
    elif table.scenario.path.startswith("/big"):
        body = _long_rows(table)
    else:
        body = _cpu_rows(table)
    notes = [
        f"{figures.subject}: {scrub(text)}"
        for figures in table.figures.values()
        for text in ([figures.error] if figures.error else figures.faults)
    ]
    load = table.scenario.load
    how = (
        f"{load.connections} connection{'s' if load.connections > 1 else ''}, "
        f"{table.scenario.rounds} round{'s' if table.scenario.rounds > 1 else ''} of "
        f"{load.seconds} s, load average {table.load_average}."
    )
    blocks = [f"## {table.scenario.name}", how, body]
    if notes:
        blocks.append("```text\n" + "\n".join(notes) + "\n```")
    return "\n\n".join(blocks)


def _row(table: rounds.Table, figures: rounds.Figures, what: str) -> tuple[str, str, str]:
    """Verdict on validity, ratio to nginx, ratios of the single rounds."""
    if figures.error:
        return "did not run, see below", "-", "-"
    state = "invalid, see below" if figures.faults else ""
    ratios = table.ratios(figures.subject, targets.NGINX, what)
    if not ratios:
        return state, "-", "-"
    median = table.ratio(figures.subject, targets.NGINX, what)
    return state, f"{median:.2f}", " · ".join(f"{ratio:.2f}" for ratio in ratios)


def _cpu_rows(table: rounds.Table) -> str:
    rows = []
    for figures in table.figures.values():
        state, ratio, each = _row(table, figures, "cpu_us")
        if figures.error:
            rows.append([figures.subject, state, "-", "-", "-", "-"])
            continue
        rate = f"{figures.requests_per_second:,.0f}"
        cpu = f"{figures.cpu_us:.1f} {state}".strip()
        rows.append([figures.subject, cpu, ratio, each, rate, figures.recorded])
    head = ["proxy", "CPU µs / request", "to nginx", "by round", "requests / s", "rows / answers"]
    return _table(head, rows)


def _latency_rows(table: rounds.Table) -> str:
    rows = []
    for figures in table.figures.values():
        state, ratio, each = _row(table, figures, "p50_us")
        if figures.error:
            rows.append([figures.subject, state, "-", "-", "-", "-"])
            continue
        p50 = f"{figures.latency_us('p50'):,.0f}"
        p90, p99 = f"{figures.latency_us('p90'):,.0f}", f"{figures.latency_us('p99'):,.0f}"
        rows.append([figures.subject, f"{p50} {state}".strip(), ratio, each, p90, p99])
    head = ["proxy", "p50 µs", "to nginx", "by round", "p90 µs", "p99 µs"]
    return _table(head, rows)


def _long_rows(table: rounds.Table) -> str:
    rows = []
    for figures in table.figures.values():
        state, ratio, each = _row(table, figures, "cpu_us")
        if figures.error:
            rows.append([figures.subject, state, "-", "-", "-"])
            continue
        cpu = f"{figures.cpu_us / 1000:.1f} {state}".strip()
        rows.append([figures.subject, cpu, ratio, each, f"{figures.megabytes_per_second:,.0f}"])
    return _table(["proxy", "CPU ms / answer", "to nginx", "by round", "MB / s"], rows)


def _instructions(results: Results) -> str:
    rows, notes = [], []
    for subject, counted in results.instructions.items():
        if isinstance(counted, str):
            rows.append([subject, "did not run, see below", "-", "-", "-"])
            notes.append(f"{subject}: {scrub(counted)}")
            continue
        first, others = f"{counted.first:,.0f}", f"{counted.others:,.0f}"
        cells = [f"{counted.per_request:,.0f}", first, others, counted.method]
        rows.append([subject, *cells])
    text = _table(["proxy", "together", "first process", "its children", "counted by"], rows)
    if notes:
        text += "\n\n```text\n" + "\n".join(notes) + "\n```"
    return text + "\n\n" + INSTRUCTIONS_NOTE


INSTRUCTIONS_NOTE = """\
Heads seen before, 64 connections, recording on. nginx's first process is the idle master, its
child the worker. Under valgrind a proxy is some ten times slower; the clock of nginx and mcpr is
slowed by the same factor, so that their timers fire once for as many requests as in real life.
The Rust mcpr keeps the real clock; its cost grows with the calls of a session."""


def _configuration() -> str:
    nginx = subjects.Nginx().config(Path("FOLDER"), "http://127.0.0.1:9000/mcp", 3000)
    return CONFIGURATION.replace("NGINX_CONFIG", nginx.rstrip())


CONFIGURATION = """\
* **Load**: wrk, one thread, POST `tools/call`: 1,000 different bodies of 200 to 578 bytes in 64
  lengths, 20 tools, the 11 headers of the TypeScript SDK, one session of revision 2025-11-25,
  an id of its own for every request. "A fresh traceparent" adds a twelfth header whose value
  never comes twice.
* **Upstream**: `benches/upstream.c`, one thread: 300 bytes of JSON with eight headers, or the
  same 300 bytes as one SSE event, chunked, or 10 MB.
* **Cores**: the proxy with all its processes on the first core, wrk and the upstream on the last.
* **Rounds**: every proxy is started anew for its turn, with an empty store, warmed up for 1 s,
  measured, ended; then the next one; ratios within a round, medians over the rounds.
* **CPU**: user and kernel time of all processes of the proxy from the scheduler's clock, until
  the last row is on disk, divided by the answers that wrk counted. Rows may exceed answers: wrk
  leaves requests under way when it stops. A run with a failed request or a missing row is
  invalid.
* **mcpr**: `mcpr run http://127.0.0.1:9000/mcp --port 3000 --db FOLDER/store.db --log off
  --admin off`.
* **Rust mcpr**: `mcpr proxy run mcpr.toml` with `name`, `mcp` and `port` in the file and a HOME
  of its own; its store has no switch and is on; it prints each call on stderr, here /dev/null.
* **nginx** (a second row for long bodies has `proxy_buffer_size 256k`, `proxy_buffers 4 256k`
  and `proxy_busy_buffers_size 256k`):

```nginx
NGINX_CONFIG
```"""
