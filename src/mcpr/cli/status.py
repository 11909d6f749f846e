"""`mcpr status`: which proxies run beside a store, since when, and how they fare.

A proxy is found by the file that it keeps beside the store (ADR 0015), or named by --admin; what it
tells of itself comes from its admin pages.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from mcpr.calling import NoAnswer, ask
from mcpr.cli import words
from mcpr.cli.options import form_option, store_option, terminal
from mcpr.cli.render import Form, Question, Renderer
from mcpr.cli.table import Column
from mcpr.errors import Exit, StoreError, UsageError
from mcpr.serving.address import Address, parse
from mcpr.serving.presence import Presence, present
from mcpr.settings.run import store_path
from mcpr.store import Filter
from mcpr.store.questions import log
from mcpr.store.sqlite import SqliteEventStore

_SECONDS = 3.0
_DEFAULT_ADMIN = "127.0.0.1:9901"
_TOKEN = "MCPR_ADMIN_TOKEN"  # noqa: S105 - the name of the variable
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - they are replaced, not listened on
_SAMPLE = re.compile(r"(mcpr_\w+)(?:\{([^}]*)\})? ([0-9.eE+-]+)")


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One running proxy. state: `ready`, `not ready`, `ending`, `no answer`, or `no admin pages`.

    reason: why it is not ready, or gives no answer. since_ms: epoch ms. The counts are of the
    events that the store was to get, since the proxy began; they and open_streams are None where
    its pages do not tell.
    """

    state: str
    reason: str | None
    pid: int | None = None
    version: str | None = None
    since_ms: int | None = None
    server: str | None = None
    upstream: str | None = None
    url: str | None = None
    admin: str | None = None
    published: int | None = None
    written: int | None = None
    rejected: int | None = None
    dropped: int | None = None
    under_way: int | None = None
    open_streams: int | None = None
    restarts: int | None = None
    sessions_evicted: int | None = None


STATUS: Question[StatusRow] = Question(
    "status",
    StatusRow,
    (Column("STATE", "text", lambda row: row.state),),
    is_error=lambda row: row.state != "ready",
)


@click.command()
@click.option(
    "--admin", metavar="ADDR", help="Ask the proxy whose admin pages are there, and no other."
)
@store_option
@form_option
@click.pass_obj
def status(now_ms: Callable[[], int], admin: str | None, db: Path | None, form: Form) -> int:
    """Show the running proxies and how they fare.

    Those that write this store: since when, before which server, on which port, what became of the
    events, open streams; and how large the store is. Ends with 0 when all of them are ready, 1 when
    one is not, 4 when none runs.
    """
    path = store_path(db)
    rows = [_asked(_named(parse(admin)))] if admin else [_asked(row) for row in _found(path)]
    if form == "table":
        click.echo(_words(rows, path, now_ms()), nl=False)
    else:
        click.echo(Renderer(STATUS, form, terminal()).document(rows, None), nl=False)
    if not any(row.state != "no answer" or row.pid for row in rows):
        return Exit.NOT_RUNNING
    healthy = all(row.state in {"ready", "no admin pages"} for row in rows)
    return Exit.OK if healthy else Exit.FAILED


def _found(path: Path) -> list[StatusRow]:
    """The proxies that say beside the store that they run; else whoever has the usual pages."""
    found = [_of(presence) for presence in present(path)]
    if found:
        return found
    somebody = _asked(_named(parse(os.environ.get("MCPR_ADMIN_LISTEN") or _DEFAULT_ADMIN)))
    if somebody.state == "no answer":
        return []
    return [replace(somebody, reason=somebody.reason or "it writes another store")]


def _of(presence: Presence) -> StatusRow:
    return StatusRow(
        state="no admin pages",
        reason=None,
        pid=presence.pid,
        version=presence.version,
        since_ms=presence.since_ms,
        server=presence.server,
        upstream=presence.upstream,
        url=presence.url,
        admin=presence.admin,
    )


def _named(address: Address) -> StatusRow:
    return StatusRow("no answer", None, admin=address.url)


def _asked(row: StatusRow) -> StatusRow:
    """The row with what the proxy's pages tell."""
    if row.admin is None:
        return row
    try:
        address = _to_connect(parse(row.admin.removeprefix("http://")))
        ready = ask(address.host, address.port, "/ready", _SECONDS)
        reasons = [str(reason) for reason in json.loads(ready.body)["reasons"]]
        token = os.environ.get(_TOKEN) or None
        page = ask(address.host, address.port, "/metrics", _SECONDS, token)
    except NoAnswer as error:
        return replace(row, state="no answer", reason=str(error))
    except UsageError:
        return replace(row, state="no answer", reason="that is no address")
    except (ValueError, KeyError, TypeError):
        return replace(row, state="no answer", reason="what answers there is no mcpr")
    state = "ready" if ready.status == 200 else "not ready"
    if "the proxy is ending" in reasons:
        state = "ending"
    row = replace(row, state=state, reason="; ".join(reasons) or None)
    if page.status != 200:
        why = f"/metrics answers with {page.status}"
        if page.status == 401:
            why = f"its numbers need the token of the admin pages in {_TOKEN}"
        return replace(row, reason=row.reason or why)
    return _with_numbers(row, list(_samples(page.body.decode(errors="replace"))))


def _to_connect(address: Address) -> Address:
    """Who listens on all addresses is asked on the loopback."""
    return Address(_ANY.get(address.host, address.host), address.port)


def _samples(page: str) -> Iterator[tuple[str, str, float]]:
    """Name, labels and value of each line of a Prometheus page that is one of ours."""
    for line in page.splitlines():
        found = _SAMPLE.fullmatch(line)
        if found is not None:
            yield found[1], found[2] or "", float(found[3])


def _with_numbers(row: StatusRow, samples: list[tuple[str, str, float]]) -> StatusRow:
    def total(name: str, label: str = "") -> int | None:
        found = [value for each, labels, value in samples if each == name and label in labels]
        return round(sum(found)) if found else None

    def events(name: str) -> int | None:
        return total(f"mcpr_events_{name}", 'sink="sqlite"')

    version = next(
        (
            said[1]
            for name, labels, _ in samples
            if name == "mcpr_build_info" and (said := re.search(r'version="([^"]*)"', labels))
        ),
        row.version,
    )
    published = events("published_total")
    # No series where nothing was dropped.
    dropped = events("dropped_total") if published is None else events("dropped_total") or 0
    return replace(
        row,
        version=version,
        published=published,
        written=events("written_total"),
        rejected=events("rejected_total"),
        dropped=dropped,
        under_way=events("under_way"),
        open_streams=total("mcpr_streams"),
        restarts=total("mcpr_companion_restarts_total"),
        sessions_evicted=total("mcpr_sessions_evicted_total"),
    )


def _words(rows: list[StatusRow], path: Path, now_ms: int) -> str:
    blocks = [_block(row, now_ms) for row in rows]
    if not rows:
        blocks = [
            {
                "proxy": "none runs that writes this store",
                "next": "mcpr run http://localhost:9000/mcp, or name its store (--db) or --admin",
            }
        ]
    blocks.append({"store": _store(path)})
    return "\n".join(
        "".join(f"{name:<9} {words.printable(text)}\n" for name, text in block.items())
        for block in blocks
    )


def _block(row: StatusRow, now_ms: int) -> dict[str, str]:
    state = row.state if row.reason is None else f"{row.state}: {row.reason}"
    if row.since_ms is not None:
        lasted = words.latency(max(0, now_ms - row.since_ms) * 1_000)
        since = f"{words.local_time(row.since_ms)} {words.zone(row.since_ms)}"
        state = f"{state}; running since {since} ({lasted})"
    process = f"pid {row.pid}" if row.pid else None
    version = f"mcpr {row.version}" if row.version else None
    lines = {
        "proxy": state,
        "server": row.server,
        "upstream": row.upstream,
        "listens": row.url,
        "admin": row.admin or "off",
        "process": ", ".join(filter(None, (process, version))) or None,
        "events": _events(row),
        "streams": None if row.open_streams is None else f"{row.open_streams} open",
    }
    if row.sessions_evicted:
        lines["sessions"] = f"{row.sessions_evicted} forgotten for later ones; the store knows them"
    if row.restarts:
        lines["restarts"] = f"{row.restarts} of the process that records"
    return {name: text for name, text in lines.items() if text is not None}


def _events(row: StatusRow) -> str | None:
    if row.published is None:
        return None
    counts = (
        f"{number or 0} {name}"
        for name, number in (
            ("published", row.published),
            ("written", row.written),
            ("rejected", row.rejected),
            ("dropped", row.dropped),
            ("under way", row.under_way),
        )
    )
    return ", ".join(counts)


def _store(path: Path) -> str:
    try:
        with SqliteEventStore(path) as store:
            size = words.size(store.volume().file_bytes)
            recorded = store.last_seq()
            newest = log(store, Filter(), 1)
    except StoreError as error:
        return f"{path}: {error.why}"
    if not newest:
        return f"{path}: {size}, empty"
    ts_ms = newest[0].ts_ms
    last = f"{words.local_time(ts_ms)} {words.zone(ts_ms)}"
    return f"{path}: {size}, {recorded} events recorded, the newest of {last}"
