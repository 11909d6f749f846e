"""Where a client connection is, and how the pool counts its exchange.

Plain integers, not enums: they are compared several times in every call.
"""

from typing import Final

# States, in the order of an exchange.
IDLE: Final = 0  # between exchanges
HEAD: Final = 1  # a head has begun to arrive
BODY: Final = 2  # a body is read whole
WAITING: Final = 3  # for a place, or for a connection
SENT: Final = 4  # the request, or the beginning of it, is on its way
ANSWER: Final = 5  # the answer is being handed on
LINGER: Final = 6  # answered without reading all; what still comes is thrown away
CLOSED: Final = 7
NAMES: Final = ("IDLE", "HEAD", "BODY", "WAITING", "SENT", "ANSWER", "LINGER", "CLOSED")

# Places: an exchange holds at most one, and whoever ends it gives it back.
NOWHERE: Final = 0
EXCHANGE: Final = 1
STREAM: Final = 2

SECOND: Final = 1_000_000_000  # nanoseconds
FOREVER: Final = 1 << 62
