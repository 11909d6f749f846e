"""Every question that can be asked over HTTP: its parameters and its rows. Pages ask these, too.

docs/reference/api.md lists them, and a test holds the two together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mcpr.console.asking import CALLS, LOG, MOST_ROWS, WINDOW, Ask
from mcpr.errors import McprError, UsageError
from mcpr.store import EventStore, Filter, Steps, duration_ms
from mcpr.store import questions as q
from mcpr.store.questions.schema_changes import list_changes

_SPLITS = ("tool", "client", "outcome", "server")
_MOST_STEPS = 2_000


class NotFound(McprError):
    """What is asked for is not there."""

    code = "usage.absent"


@dataclass(frozen=True, slots=True)
class Answer:
    """One question. takes: its parameters. since: how far back it looks unless told; None: all."""

    name: str
    row: type
    takes: tuple[str, ...]
    ask: Callable[[EventStore, Ask], Sequence[Any]]
    since: str | None = "24h"

    @property
    def has_window(self) -> bool:
        """Whether it is about a span of time."""
        return "since" in self.takes


def limit_of(ask: Ask, default: int) -> int:
    """How many rows are wanted. Raises UsageError for more than there may be."""
    limit = ask.limit or default
    if limit > MOST_ROWS:
        raise UsageError(
            f"cannot give {limit} rows at once",
            f"there are {MOST_ROWS} at most",
            "ask for the next ones with `before`, or for a shorter time",
            "usage.parameter",
        )
    return limit


def steps_of(ask: Ask, most: int) -> Steps:
    """The steps that are asked for, else the shortest easy one of at most `most`."""
    text = ask.get("step")
    if text is None:
        return q.steps_for(ask.window, most)
    step_ms = max(1, duration_ms(text))
    length_ms = ask.window.until_ms - ask.window.since_ms
    if length_ms > step_ms * _MOST_STEPS:
        raise UsageError(
            f"cannot cut this time into steps of {text}",
            f"that would be more than {_MOST_STEPS} of them",
            "give a longer step, or a shorter time",
            "usage.parameter",
        )
    return Steps(step_ms)


def _error(store: EventStore, ask: Ask) -> Sequence[Any]:
    prefix = ask.get("group")
    if prefix is None:
        raise UsageError(
            "cannot show an error group", "none is named", "give group=…", "usage.parameter"
        )
    found = q.error(store, ask.where, prefix, limit_of(ask, 20))
    if found is None:
        raise NotFound(
            "there is no such error group", "none begins so in this time", "look further back"
        )
    return found[1]


def _latency(store: EventStore, ask: Ask) -> Sequence[Any]:
    by = ask.get("by")
    if by is not None and by not in _SPLITS:
        raise UsageError(
            f"cannot split by {by!r}",
            "that is none of its values",
            f"there are: {', '.join(_SPLITS)}",
            "usage.parameter",
        )
    return q.latency(store, ask.where, steps_of(ask, 120), by)  # type: ignore[arg-type]  # looked at above


def _diff(store: EventStore, ask: Ask) -> Sequence[Any]:
    old, new = ask.get("from"), ask.get("to")
    if old is None or new is None:
        raise UsageError(
            "cannot compare versions", "two are needed", "give from=1 and to=2", "usage.parameter"
        )
    old_version, new_version = ask.number("from", 1), ask.number("to", 1)
    return q.schema_diff(store, ask.get("server"), ask.list or "tools", old_version, new_version)


def _session(store: EventStore, ask: Ask) -> Sequence[Any]:
    prefix = ask.get("session")
    if prefix is None:
        raise UsageError(
            "cannot show a session", "none is named", "give session=…", "usage.parameter"
        )
    found = q.session(store, prefix, ask.now_ms)
    return q.log(store, Filter(session=found.session), limit_of(ask, 200), ask.before)


def _sessions(store: EventStore, ask: Ask) -> Sequence[Any]:
    only_active = ask.flag("active")
    return q.sessions(store, ask.where, limit_of(ask, 50), ask.now_ms, only_active=only_active)


ANSWERS: dict[str, Answer] = {
    answer.name: answer
    for answer in (
        Answer("summary", q.SummaryRow, WINDOW, lambda store, ask: q.summary(store, ask.where)),
        Answer("servers", q.ServerRow, WINDOW, lambda store, ask: q.servers(store, ask.where)),
        Answer("tools", q.ToolRow, CALLS, lambda store, ask: q.tools(store, ask.where)),
        Answer(
            "slow",
            q.SlowRow,
            (*CALLS, "limit"),
            lambda store, ask: q.slow(store, ask.where, limit_of(ask, 20)),
        ),
        Answer("errors", q.ErrorGroup, CALLS, lambda store, ask: q.errors(store, ask.where)),
        Answer("error", q.LogRow, (*CALLS, "group", "limit"), _error),
        Answer("latency", q.LatencyRow, (*CALLS, "step", "by"), _latency),
        Answer(
            "heat",
            q.HeatRow,
            (*CALLS, "step"),
            lambda store, ask: q.heat(store, ask.where, steps_of(ask, 120)),
        ),
        Answer(
            "log",
            q.LogRow,
            (*LOG, "limit", "before"),
            lambda store, ask: q.log(store, ask.where, limit_of(ask, 50), ask.before),
            "1h",
        ),
        Answer("sessions", q.SessionRow, (*WINDOW, "client", "active", "limit"), _sessions),
        Answer("session", q.LogRow, ("session", "limit", "before"), _session, None),
        Answer(
            "clients",
            q.ClientRow,
            WINDOW,
            lambda store, ask: q.clients(store, ask.where),
            "7d",
        ),
        Answer("compat", q.CompatRow, WINDOW, lambda store, ask: q.compat(store, ask.where), "7d"),
        Answer(
            "operations",
            q.OperationRow,
            (*CALLS, "limit"),
            lambda store, ask: q.operations(store, ask.where, limit_of(ask, 50)),
        ),
        Answer(
            "recoveries", q.RecoveryRow, CALLS, lambda store, ask: q.recoveries(store, ask.where)
        ),
        Answer("loops", q.LoopRow, CALLS, lambda store, ask: q.loops(store, ask.where)),
        Answer(
            "abandoned", q.AbandonedRow, CALLS, lambda store, ask: q.abandoned(store, ask.where)
        ),
        Answer("sizes", q.SizeRow, CALLS, lambda store, ask: q.sizes(store, ask.where)),
        Answer(
            "discovery", q.DiscoveryRow, WINDOW, lambda store, ask: q.discovery(store, ask.where)
        ),
        Answer(
            "adoption",
            q.AdoptionRow,
            WINDOW,
            lambda store, ask: q.adoption(store, ask.where),
            "30d",
        ),
        Answer(
            "widgets",
            q.WidgetRow,
            ("server",),
            lambda store, ask: q.widgets(store, ask.get("server")),
            None,
        ),
        Answer(
            "schema",
            q.SchemaRow,
            ("server", "list"),
            lambda store, ask: q.schema(store, ask.get("server"), ask.list),
            None,
        ),
        Answer(
            "schema_changes",
            q.ChangeRow,
            (*WINDOW, "list", "limit"),
            lambda store, ask: list_changes(store, ask.where, ask.list, limit_of(ask, 50)),
            "30d",
        ),
        Answer("schema_diff", q.DiffRow, ("server", "list", "from", "to"), _diff, None),
        Answer(
            "schema_use",
            q.UseRow,
            WINDOW,
            lambda store, ask: q.schema_use(store, ask.where),
            "30d",
        ),
        Answer("stats", q.StatsRow, (), lambda store, _: q.stats(store), None),
    )
}
