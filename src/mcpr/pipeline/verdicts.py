"""How one exchange ended, and each of its messages: what was seen, put before the tables.

Pure and total: whatever was seen, there is a verdict. `outcomes` holds the tables.
"""

from typing import TYPE_CHECKING

from mcpr.pipeline import outcomes
from mcpr.pipeline.identity import NOBODY
from mcpr.pipeline.outcomes import Ending, Verdict
from mcpr.pipeline.rows import revision_of
from mcpr.protocol.jsonrpc import Answer, Message
from mcpr.protocol.mcp import is_modern

if TYPE_CHECKING:
    from mcpr.pipeline.exchange import Exchange


def of_exchange(exchange: "Exchange", ending: Ending) -> Verdict:
    """Of an exchange without a JSON-RPC request in it."""
    if ending != "complete":
        if ending == "gone" and exchange.kind == "stream":
            return outcomes.OK  # A stream of a GET ends when its reader leaves.
        return outcomes.ENDINGS[ending]
    answer = exchange.answer
    if answer is None:
        return outcomes.OK
    if exchange.facts.opens_stream and answer.status == 405:
        return outcomes.PROBE
    verdict = outcomes.of_status(answer.status, has_credential=exchange.facts.has_credential)
    if verdict is outcomes.OK and exchange.message is None and exchange.kind == "rpc":
        return outcomes.UNREAD  # There was no room for its bodies.
    return verdict


def of_message(exchange: "Exchange", message: Message, ending: Ending) -> Verdict | None:
    """Of one message; None while its answer may still come on another stream."""
    if exchange.kind == "notification":
        return of_exchange(exchange, ending)
    answer = _answer(exchange, message)
    if answer is not None:
        return of_answer(exchange, message, answer, exchange.status or 200)
    if ending in {"complete", "cut"} and _may_resume(exchange):
        return None
    if ending == "gone":
        return _left(exchange, message)
    if ending != "complete":
        return outcomes.ENDINGS[ending]
    return _or_probe(exchange, message, _without_answer(exchange))


def of_answer(exchange: "Exchange", message: Message, answer: Answer, status: int) -> Verdict:
    """Of a message and its answer; `status` is of the answer that carried it."""
    verdict = outcomes.of_answer(answer, status, has_credential=exchange.facts.has_credential)
    if exchange.cancelled and verdict.outcome == "rpc_error":
        # Servers say in many words that they stopped.
        return verdict._replace(outcome="cancelled", origin="client")
    return _or_probe(exchange, message, verdict)


def _or_probe(exchange: "Exchange", message: Message, verdict: Verdict) -> Verdict:
    if message.method == "server/discover" and outcomes.is_probe_refused(verdict, exchange.status):
        return verdict._replace(outcome="probe", origin=None)
    return verdict


def _answer(exchange: "Exchange", message: Message) -> Answer | None:
    reader = exchange.reader
    if reader is None:
        return None
    answer = reader.answer_to(message)
    if answer is None and len(reader.answers) == 1 and not exchange.others:
        # Some servers refuse a request under an id of their own: the status tells whose it is.
        only = reader.answers[0]
        if only.error and exchange.status is not None and exchange.status >= 400:
            return only
    return answer


def _may_resume(exchange: "Exchange") -> bool:
    """Whether the answer may come on a later stream of the session (2025-11-25)."""
    reader, answer = exchange.reader, exchange.answer
    return (
        exchange.kind == "rpc"
        and reader is not None
        and answer is not None
        and answer.is_events
        and answer.status < 300
        and reader.has_ids
        and not reader.unread
        and not exchange.cancelled
        and exchange.facts.session is not None
    )


def _left(exchange: "Exchange", message: Message) -> Verdict:
    """The client went away: in the modern era that is how a request is cancelled."""
    if exchange.kind == "stream":
        return outcomes.OK
    if exchange.cancelled or is_modern(revision_of(exchange, message, NOBODY)):
        return outcomes.CANCELLED
    return outcomes.ENDINGS["gone"]


def _without_answer(exchange: "Exchange") -> Verdict:
    """It was complete, and no JSON-RPC answer to this request was in it."""
    reader, answer = exchange.reader, exchange.answer
    verdict = of_exchange(exchange, "complete")
    if verdict is outcomes.OK:
        if exchange.cancelled:
            verdict = outcomes.CANCELLED
        elif exchange.status == 202 and exchange.facts.is_sse_post:
            # The HTTP+SSE transport of 2024-11-05 answers on its GET stream.
            exchange.remark("unlinked")
            verdict = outcomes.UNREAD
        elif reader is None or answer is None:
            verdict = outcomes.GARBAGE  # 202, HTML and a redirection are no answers.
        elif reader.unread:
            verdict = outcomes.UNREAD
        elif exchange.kind != "stream" or not answer.is_events:
            verdict = _never_came(exchange, is_resumable=answer.is_events and reader.has_ids)
        # Else it ended between two events, as streams do.
    return verdict


def _never_came(exchange: "Exchange", *, is_resumable: bool) -> Verdict:
    if not is_resumable:
        return outcomes.GARBAGE
    # It may be answered elsewhere, but without a session nobody can tell where.
    exchange.remark("unlinked")
    return outcomes.LOST
