"""The question "what fails?": errors in groups that have one cause, as far as metadata tells."""

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace

from mcpr.events import Origin, Outcome
from mcpr.store.engine import Dimension, EventStore, Failure, Filter, Value
from mcpr.store.questions.log import LogRow, log

_BY: tuple[Dimension, ...] = (
    "server",
    "method",
    "tool",
    "outcome",
    "origin",
    "http_status",
    "rpc_code",
    "client",
    "client_name",
)
#: So many of them make the group; the rest tells who met it.
_GROUP_SIZE = 7
_MOST_CLIENTS = 5

#: What differs from one error to the next of the same kind, in the order in which it is looked for.
_VARIABLE = re.compile(
    r"(?P<url>\b[a-z][a-z0-9+.-]*://\S+)"
    r"|(?P<mail>\b[\w.+-]+@[\w-]+\.[\w.-]+)"
    r"|(?P<id>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b)"
    r"|(?P<path>(?<![\w.])(?:/[\w.@-]+){2,}/?|\b[A-Za-z]:\\[\\\w.@ -]+)"
    r"|(?P<text>\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)|`[^`]*`|“[^”]*”)"
    r"|(?P<hex>\b(?:0x[0-9a-fA-F]+|(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,})\b)"
    r"|(?P<number>[-+]?\b\d[\d.,:_]*(?:\b|(?=[a-z%]))|\d+)"
)


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Errors of one server, method, tool, code and origin whose messages have one shape.

    id: the same for the same group in every window and store. shape: the message with all that
    varies in it masked; None where no message is kept. first_ms, last_ms: arrivals in the window,
    epoch ms. clients: who met it most, by name; client_count and session_count: how many did.
    share: of all errors of the window, 0-1.
    """

    id: str
    server: str
    method: str | None
    tool: str | None
    outcome: Outcome
    origin: Origin | None
    http_status: int | None
    rpc_code: int | None
    shape: str | None
    calls: int
    share: float
    first_ms: int
    last_ms: int
    session_count: int
    client_count: int
    clients: str


@dataclass(slots=True)
class _Group:
    calls: int = 0
    first_ms: int = 1 << 62
    last_ms: int = 0
    sessions: set[str] = field(default_factory=set)
    clients: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, failure: Failure) -> None:
        self.calls += failure.calls
        self.first_ms = min(self.first_ms, failure.first_ms)
        self.last_ms = max(self.last_ms, failure.last_ms)
        if failure.session is not None:
            self.sessions.add(failure.session)
        client, name = failure.key[_GROUP_SIZE:]
        if client is not None or name is not None:
            told = name if client in {None, "other"} and name else client
            self.clients[str(told)] += failure.calls


_Key = tuple[Value, ...]


def errors(store: EventStore, where: Filter) -> list[ErrorGroup]:
    """The groups of a window, the most frequent first; JSON-RPC requests only."""
    groups: dict[_Key, _Group] = defaultdict(_Group)
    shapes: dict[str | None, str | None] = {None: None}
    for failure in store.failures(replace(where, kind="rpc", errors_only=True), _BY):
        text = failure.error_text
        if text not in shapes:
            shapes[text] = shape(text or "")
        groups[(*failure.key[:_GROUP_SIZE], shapes[text])].add(failure)
    total = sum(group.calls for group in groups.values())
    rows = [_row(key, group, total) for key, group in groups.items()]
    return sorted(rows, key=lambda row: (-row.calls, -row.last_ms, row.id))


def error(
    store: EventStore, where: Filter, prefix: str, limit: int
) -> tuple[ErrorGroup, list[LogRow]] | None:
    """The group whose id begins so, and its newest errors; None where there is none."""
    for group in errors(store, where):
        if group.id.startswith(prefix.lower()):
            return group, _occurrences(store, where, group, limit)
    return None


def _occurrences(store: EventStore, where: Filter, group: ErrorGroup, limit: int) -> list[LogRow]:
    wanted = replace(
        where,
        kind="rpc",
        errors_only=True,
        server=group.server,
        method=group.method,
        tool=group.tool,
        outcome=group.outcome,
    )
    found: list[LogRow] = []
    for row in log(store, wanted, max(1000, limit * 20)):
        told = None if row.error_text is None else shape(row.error_text)
        same = (row.origin, row.http_status, row.rpc_code, told) == (
            group.origin,
            group.http_status,
            group.rpc_code,
            group.shape,
        )
        if same:
            found.append(row)
            if len(found) == limit:
                break
    return found


def shape(text: str) -> str:
    """A message with what varies in it masked: numbers, ids, quotations, paths, addresses."""
    masked = _VARIABLE.sub(lambda match: f"<{match.lastgroup}>", text)
    return " ".join(masked.split())


def _row(key: _Key, group: _Group, total: int) -> ErrorGroup:
    server, method, tool, outcome, origin, http_status, rpc_code, told = key
    most = sorted(group.clients.items(), key=lambda item: (-item[1], item[0]))
    return ErrorGroup(
        id=_id(key),
        server=str(server),
        method=method,  # type: ignore[arg-type]  # each dimension has one type in every engine
        tool=tool,  # type: ignore[arg-type]
        outcome=outcome,  # type: ignore[arg-type]
        origin=origin,  # type: ignore[arg-type]
        http_status=http_status,  # type: ignore[arg-type]
        rpc_code=rpc_code,  # type: ignore[arg-type]
        shape=told,  # type: ignore[arg-type]
        calls=group.calls,
        share=group.calls / total,
        first_ms=group.first_ms,
        last_ms=group.last_ms,
        session_count=len(group.sessions),
        client_count=len(group.clients),
        clients=", ".join(name for name, _ in most[:_MOST_CLIENTS]),
    )


def _id(key: _Key) -> str:
    """A name for the group: 12 hex digits."""
    text = "\0".join("" if part is None else str(part) for part in key)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
