"""Exchanges that show what a server offers, on their way to whoever keeps its versions.

Their bodies are not decoded here for that: the answer is kept as it came and handed on whole, to be
read in the companion (`pipeline/schema`). Lists are rare, and a common call never comes this way.
"""

from typing import TYPE_CHECKING

from mcpr.pipeline.answers import AnswerReader
from mcpr.protocol.mcp import LISTINGS

if TYPE_CHECKING:
    from mcpr.pipeline.exchange import Exchange


def is_watched(exchange: "Exchange") -> bool:
    """Whether the answer says what the server offers, and somebody wants to know."""
    message = exchange.message
    return (
        exchange.recording.look is not None
        and message is not None
        and any(asked.method in LISTINGS for asked in (message, *exchange.others))
    )


def tell(exchange: "Exchange", now_ns: int) -> None:
    """The exchange is over; one that was deferred is told of by its digest."""
    reader, look = exchange.reader, exchange.recording.look
    if look is not None and reader is not None and reader.keeps:
        look(exchange, b"", now_ns)


def tell_changes(exchange: "Exchange", reader: AnswerReader, now_ns: int) -> None:
    """The server said on a stream that lists have changed: at once, the stream may last."""
    look = exchange.recording.look
    if look is not None:
        for message in dict.fromkeys(reader.changes):
            look(exchange, message, now_ns)
    reader.changes.clear()
