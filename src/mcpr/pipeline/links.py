"""What ties a message to others: the legs of one operation, the end of a session, who answered.

Only keyed hashes are kept: a `requestState` and a task's id may open what they name. Read only
where a message has them; a common call has none.
"""

from typing import TYPE_CHECKING

from msgspec import UNSET

from mcpr.events import Link, link_text
from mcpr.protocol.jsonrpc import Message, Params
from mcpr.protocol.mcp import bounded_version
from mcpr.protocol.results import Implementation, Result

if TYPE_CHECKING:
    from mcpr.pipeline.exchange import Exchange
    from mcpr.pipeline.identity import Caller, SessionNames

#: What a task's status may be; anything else is nobody's word.
STATUSES = frozenset(("working", "input_required", "completed", "failed", "cancelled"))
_NO_PARAMS = Params()
_NO_RESULT = Result()
_MAX_NAME = 128
_LOST = 404
_INTRODUCTIONS = frozenset(("initialize", "server/discover"))


def link_of(exchange: "Exchange", message: Message | None, caller: "Caller") -> str | None:
    """The link of a message's row, as text; of the exchange's own where there is no message."""
    if message is None:
        return link_text(Link(ends=True)) if _is_end(exchange) else None
    if message.method is UNSET or message.id is UNSET:
        return None
    params = message.params or _NO_PARAMS
    result = _result(exchange, message)
    names = exchange.recording.names
    retries = exchange.recording.sessions.retries
    retry = None
    if retries or exchange.status == _LOST:
        said = (names, message, caller)
        retry = retries.mark_of(exchange.facts, exchange.status, exchange.started_ns, said)
    task_id, status = _task(message.method, params, result)
    server = None
    if exchange.recording.keep_detail and message.method in _INTRODUCTIONS:
        server = result.server or (None if result.meta is None else result.meta.server)
    return link_text(
        Link(
            asks=_asks(names, result),
            answers=_answers(names, params),
            task=None if task_id is None else names.mark(b"task", task_id),
            retry=retry,
            opens=message.method == "initialize" and exchange.opened is not None,
            status=status if status in STATUSES else None,
            server_name=_bounded_name(server),
            server_version=None if server is None else bounded_version(server.version),
        )
    )


def _is_end(exchange: "Exchange") -> bool:
    """Whether the server agreed to end the session."""
    facts, status = exchange.facts, exchange.status
    return (
        facts.http_method == "DELETE"
        and facts.session is not None
        and status is not None
        and 200 <= status < 300
    )


def _result(exchange: "Exchange", message: Message) -> Result:
    answer = None if exchange.reader is None else exchange.reader.answer_to(message)
    return (None if answer is None else answer.result or None) or _NO_RESULT


def _asks(names: "SessionNames", result: Result) -> str | None:
    if result.kind != "input_required":
        return None
    return "" if result.state is None else names.mark(b"state", result.state)


def _answers(names: "SessionNames", params: Params) -> str | None:
    if params.state is not None:
        return names.mark(b"state", params.state)
    return None if params.responses is UNSET else ""


def _task(method: str, params: Params, result: Result) -> tuple[str | None, str | None]:
    """The task that is begun or spoken of, and its status as far as it is said."""
    task = result.task
    if method.startswith("tasks/"):
        if method == "tasks/list" or params.task_id is None:
            return None, None
        status = result.status if task is None else task.status
        if method == "tasks/result" and result is not _NO_RESULT:
            status = "completed"  # It hands out what the task was for.
        return params.task_id, status
    if task is not None and task.task_id is not None:
        return task.task_id, task.status
    if result.kind == "task":
        return result.task_id, result.status
    return None, None


def _bounded_name(server: Implementation | None) -> str | None:
    return None if server is None or server.name is None else server.name[:_MAX_NAME]
