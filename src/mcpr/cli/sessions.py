"""`mcpr sessions`, `session`, `clients` and `compat`: who calls, and how each of them fares."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict, Unpack

import click

from mcpr.cli.options import form_option, store_option, terminal
from mcpr.cli.questions import LOG
from mcpr.cli.render import Form, Question, Renderer, Row
from mcpr.cli.table import Column
from mcpr.cli.window import WindowOptions, nothing, window_of, window_options
from mcpr.cli.words import local_time, printable, zone
from mcpr.settings.run import store_path
from mcpr.store import EventStore, Filter, Window
from mcpr.store.questions import ClientRow, CompatRow, LogRow, SessionRow, log
from mcpr.store.questions import clients as ask_clients
from mcpr.store.questions import compat as ask_compat
from mcpr.store.questions import session as ask_session
from mcpr.store.questions import sessions as ask_sessions
from mcpr.store.sqlite import SqliteEventStore

_SHORT = 8
_DEGRADED = 0.05


def _who(client: str | None, version: str | None, name: str | None = None) -> str | None:
    """The client and its version; the name that it gave itself where its family is not known."""
    if client in {None, "other"}:
        client = name or client
    return client if client is None or version is None else f"{client} {version}"


def _state(row: SessionRow) -> str:
    return row.state if row.ended_by in {None, "idle"} else f"{row.state}: {row.ended_by}"


SESSIONS = Question(
    "sessions",
    SessionRow,
    (
        Column("SESSION", "text", lambda row: row.session[:_SHORT] + "~" * row.is_inferred),
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("STATE", "text", _state),
        Column(
            "CLIENT",
            "text",
            lambda row: _who(row.client, row.client_version, row.client_name),
        ),
        Column("STARTED", "minute", lambda row: row.started_ms),
        Column("SEEN", "minute", lambda row: row.last_seen_ms),
        Column("CALLS", "count", lambda row: row.calls),
        Column("ERRORS", "count", lambda row: row.errors),
        Column("TOOLS", "count", lambda row: row.tools),
    ),
    is_error=lambda row: row.calls > 0 and row.errors / row.calls >= _DEGRADED,
)
CLIENTS = Question(
    "clients",
    ClientRow,
    (
        Column("CLIENT", "text", lambda row: row.client),
        Column("VERSION", "text", lambda row: row.client_version),
        Column("NAME", "text", lambda row: row.client_name),
        Column("SESSIONS", "count", lambda row: row.sessions),
        Column("CALLS", "count", lambda row: row.calls),
        Column("ERRORS", "rate", lambda row: row.error_rate),
        Column("REVISIONS", "text", lambda row: row.revisions or None),
        Column("LAST", "minute", lambda row: row.last_ms),
    ),
    is_error=lambda row: row.error_rate >= _DEGRADED,
)
COMPAT = Question(
    "compat",
    CompatRow,
    (
        Column("SERVER", "text", lambda row: row.server, is_dispensable=True),
        Column("TOOL/METHOD", "text", lambda row: row.subject),
        Column("CLIENT", "text", lambda row: _who(row.client, row.client_version)),
        Column("REVISION", "text", lambda row: row.revision),
        Column("CALLS", "count", lambda row: row.calls),
        Column("ERRORS", "rate", lambda row: row.error_rate),
        Column("OTHERS", "rate", lambda row: row.others_error_rate),
        Column("MISLABELLED", "count", lambda row: row.mislabelled),
        Column("AMBIGUOUS", "count", lambda row: row.ambiguous),
    ),
    is_error=lambda row: row.error_rate >= _DEGRADED,
)
_TIMELINE = Question("session", LogRow, LOG.columns, LOG.is_error)


class _Place(TypedDict):
    db: Path | None
    form: Form


class _SessionsOptions(WindowOptions):
    client: str | None
    active: bool
    limit: int


@click.command()
@click.option("--active", is_flag=True, help="Only those seen in the last 5 minutes.")
@click.option("--client", metavar="NAME", help="Only of this client.")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=50, show_default=True, help="Rows at most."
)
@window_options("24h")
@click.pass_obj
def sessions(now_ms: Callable[[], int], **options: Unpack[_SessionsOptions]) -> None:
    """Show sessions: who, since when, how many calls.

    The last seen stands first. A session is active when it was seen in the last 5 minutes; it has
    ended when its client or its server said so, or after a day without a request. One with a ~ is
    inferred: its requests named no session, only who sent them.
    """
    window = window_of(options, now_ms(), "24h")
    where = Filter(window=window, server=options["server"], client=options["client"])
    form = options["form"]
    with SqliteEventStore(store_path(options["db"])) as store:
        rows = ask_sessions(store, where, options["limit"], now_ms(), only_active=options["active"])
        click.echo(Renderer(SESSIONS, form, terminal()).document(rows, window), nl=False)
        if form == "table" and not rows:
            click.echo(nothing(store, "No session that matches was seen", "sessions"))
        elif form == "table" and len(rows) == options["limit"]:
            click.echo(f"\nThe last {len(rows)} that were seen; --limit shows more.")


@click.command()
@click.argument("prefix", metavar="ID")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=200, show_default=True, help="Rows at most."
)
@store_option
@form_option
@click.pass_obj
def session(now_ms: Callable[[], int], prefix: str, limit: int, **options: Unpack[_Place]) -> None:
    """Show one session and its requests, the newest last.

    ID is the beginning of the session's hash, as `mcpr sessions` shows it.
    """
    form = options["form"]
    window = Window.all_until(now_ms() + 1)
    with SqliteEventStore(store_path(options["db"])) as store:
        row = ask_session(store, prefix.rstrip("~"), now_ms())
        rows = log(store, Filter(session=row.session), limit)[::-1]
        if form == "table":
            click.echo("\n".join(_head(row)) + "\n")
        text = Renderer(_TIMELINE, form, terminal()).document(rows, window, {"about": asdict(row)})
        click.echo(text, nl=False)
        if form == "table" and len(rows) == limit:
            click.echo(f"\nThe newest {len(rows)}; --limit shows more.")


@click.command()
@window_options("7d")
@click.pass_obj
def clients(now_ms: Callable[[], int], **options: Unpack[WindowOptions]) -> None:
    """Show who calls: one line for each client and version.

    The client is the family that its name belongs to, or `other`; NAME is how it called itself,
    and is kept on this machine only.
    """
    _answer(CLIENTS, ask_clients, now_ms(), "No request", "clients", options)


@click.command()
@window_options("7d")
@click.pass_obj
def compat(now_ms: Callable[[], int], **options: Unpack[WindowOptions]) -> None:
    """Show which client gets on with which tool.

    OTHERS is the share of errors of all other clients on the same tool: much lower, and it is this
    client that does something else. MISLABELLED counts requests whose Mcp-Method or Mcp-Name says
    something else than their body, AMBIGUOUS those that two servers could read differently.
    """
    _answer(COMPAT, ask_compat, now_ms(), "No request", "compat", options)


def _answer(
    question: Question[Row],
    ask: Callable[[EventStore, Filter], list[Row]],
    now_ms: int,
    what: str,
    command: str,
    options: WindowOptions,
) -> None:
    window = window_of(options, now_ms, "7d")
    where = Filter(window=window, server=options["server"])
    form = options["form"]
    with SqliteEventStore(store_path(options["db"])) as store:
        rows = ask(store, where)
        click.echo(Renderer(question, form, terminal()).document(rows, window), nl=False)
        if form == "table" and not rows:
            click.echo(nothing(store, f"{what} was recorded", command))


def _head(row: SessionRow) -> list[str]:
    """What is known of the session, in lines."""
    lines = [("session", row.session), ("state", _state(row))]
    if row.is_inferred:
        lines.append(("inferred", "from the client that each request names; there is no session"))
    if row.is_shared:
        lines.append(("shared", "the server gave its id to two clients"))
    server = " ".join(filter(None, (row.server_name, row.server_version)))
    lines += [
        (
            "client",
            " ".join(
                filter(None, (_who(row.client, row.client_version, row.client_name), _also(row)))
            )
            or "not known",
        ),
        ("server", f"{row.server or '-'}{f' ({server})' if server else ''}"),
        ("revision", row.revision or "-"),
        ("started", "nobody saw it begin" if row.started_ms is None else _when(row.started_ms)),
        ("last seen", _when(row.last_seen_ms)),
    ]
    if row.ended_ms is not None:
        lines.append(("ended", f"{_when(row.ended_ms)} ({row.ended_by})"))
    lines.append(("calls", f"{row.calls}, {row.errors} of them errors, to {row.tools} tools"))
    return [f"{name:10}{printable(text)}" for name, text in lines]


def _also(row: SessionRow) -> str | None:
    is_said = row.client_name is None or row.client in {None, "other"}
    return None if is_said else f"({row.client_name})"


def _when(ts_ms: int) -> str:
    return f"{local_time(ts_ms)} {zone(ts_ms)}"
