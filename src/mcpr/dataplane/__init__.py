"""How do bytes travel? Listener, client connections, connection pool, deadlines, backpressure.

Knows HTTP/1.1 and no MCP: what a head means and what is recorded is the handler's.
"""

from mcpr.dataplane.handler import (
    AnswerPlan,
    Completed,
    Editor,
    Ending,
    Handler,
    Refusal,
    RequestPlan,
    Watch,
)
from mcpr.dataplane.listener import Listener
from mcpr.dataplane.pool import Address, Pool

__all__ = [
    "Address",
    "AnswerPlan",
    "Completed",
    "Editor",
    "Ending",
    "Handler",
    "Listener",
    "Pool",
    "Refusal",
    "RequestPlan",
    "Watch",
]
