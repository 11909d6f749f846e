"""What can be asked of a store: one file each, with its row and its contract.

A question is asked of an `EventStore` and knows no engine; whoever shows the answer (a command, a
page, the JSON API) only chooses the filter and the form.
"""

from mcpr.store.questions.clients import ClientRow, clients
from mcpr.store.questions.compat import CompatRow, compat
from mcpr.store.questions.log import LogRow, News, follow, log
from mcpr.store.questions.schema import SchemaRow, schema
from mcpr.store.questions.schema_changes import ChangeRow, schema_changes
from mcpr.store.questions.schema_diff import DiffRow, schema_diff
from mcpr.store.questions.schema_use import UseRow, schema_use
from mcpr.store.questions.sessions import SessionRow, session, sessions
from mcpr.store.questions.stats import StatsRow, stats
from mcpr.store.questions.tools import ToolRow, tools

__all__ = [
    "ChangeRow",
    "ClientRow",
    "CompatRow",
    "DiffRow",
    "LogRow",
    "News",
    "SchemaRow",
    "SessionRow",
    "StatsRow",
    "ToolRow",
    "UseRow",
    "clients",
    "compat",
    "follow",
    "log",
    "schema",
    "schema_changes",
    "schema_diff",
    "schema_use",
    "session",
    "sessions",
    "stats",
    "tools",
]
