"""Sums over rows, and rows in order, as SQL: what questions about many requests ask of SQLite."""

from collections.abc import Sequence

from mcpr.store.engine import Dimension, Filter, Steps
from mcpr.store.sqlite.where import Where

DIMENSIONS: dict[Dimension, str] = {
    "server": "l.server",
    "kind": "l.kind",
    "method": "l.method",
    "tool": "l.tool",
    "outcome": "l.outcome",
    "origin": "l.origin",
    "http_status": "l.http_status",
    "rpc_code": "l.rpc_code",
    "client": "l.client",
    "client_version": "l.client_version",
    "client_name": "l.client_name",
    "revision": "l.revision",
    "note": "l.note",
}
Asked = tuple[str, list[object]]


def measures(where: Filter, by: Sequence[Dimension], steps: Steps | None) -> Asked:
    """The query behind `EventStore.measures`: by bucket, and last the number of the step."""
    sql = Where(where)
    dimensions = "".join(f"{DIMENSIONS[name]}, " for name in by)
    step = "0"
    stepping: list[object] = []
    if steps is not None:
        # SQLite's division rounds towards zero; arrivals and origins are not before 1970.
        step = "(e.ts_ms - ?) / ?"
        stepping = [steps.origin_ms % steps.step_ms - steps.step_ms, steps.step_ms]
    # First by label, a number, then by what labels have in common: text is compared once for
    # each label and bucket, not once for each event.
    query = (
        f"SELECT {dimensions} m.bucket, sum(m.calls), sum(m.errors), sum(m.sum_us), max(m.max_us),"  # noqa: S608 - values are parameters
        " sum(m.bytes_in), sum(m.bytes_out), max(m.last_ms), m.step"
        " FROM (SELECT e.label, e.bucket, count(*) AS calls, sum(e.is_error) AS errors,"
        " sum(e.latency_us) AS sum_us, max(e.latency_us) AS max_us, sum(e.bytes_in) AS bytes_in,"
        f" sum(e.bytes_out) AS bytes_out, max(e.ts_ms) AS last_ms, {step} AS step"
        f" {sql.source} {sql} GROUP BY e.label, e.bucket, step) AS m"
        f" JOIN label AS l ON l.id = m.label GROUP BY {dimensions} m.bucket, m.step"
    )
    return query, [*stepping, *sql.parameters]


def step_at(step: int, steps: Steps) -> int:
    """Where the step begins that this query numbers so."""
    return steps.origin_ms % steps.step_ms - steps.step_ms + step * steps.step_ms


def failures(where: Filter, by: Sequence[Dimension]) -> Asked:
    """The query behind `EventStore.failures`."""
    sql = Where(where)
    dimensions = "".join(f"{DIMENSIONS[name]}, " for name in by)
    query = (
        f"SELECT {dimensions} m.error_text, nullif(lower(hex(s.hash)), ''), m.calls, m.first_ms,"  # noqa: S608 - values are parameters
        " m.last_ms FROM (SELECT e.label, e.error_text, e.session, count(*) AS calls,"
        " min(e.ts_ms) AS first_ms, max(e.ts_ms) AS last_ms"
        f" {sql.source} {sql} GROUP BY e.label, e.error_text, e.session) AS m"
        " JOIN label AS l ON l.id = m.label LEFT JOIN session AS s ON s.id = m.session"
    )
    return query, sql.parameters


def trail(where: Filter) -> Asked:
    """The query behind `EventStore.trail`."""
    sql = Where(where)
    query = (
        "SELECT nullif(lower(hex(s.hash)), ''), e.ts_ms, l.server, l.method, l.tool, e.is_error,"
        f" e.bytes_out {sql.source} CROSS JOIN label AS l ON l.id = e.label"
        f" LEFT JOIN session AS s ON s.id = e.session {sql} ORDER BY e.session, e.ts_ms, e.seq"
    )
    return query, sql.parameters
