"""What can be asked of a store: one file each, with its row and its contract.

A question is asked of an `EventStore` and knows no engine; whoever shows the answer (a command, a
page, the JSON API) only chooses the filter and the form.
"""

from mcpr.store.questions.log import LogRow, News, follow, log
from mcpr.store.questions.schema import SchemaRow, schema
from mcpr.store.questions.schema_changes import ChangeRow, schema_changes
from mcpr.store.questions.schema_diff import DiffRow, schema_diff
from mcpr.store.questions.schema_use import UseRow, schema_use
from mcpr.store.questions.stats import StatsRow, stats
from mcpr.store.questions.tools import ToolRow, tools

__all__ = [
    "ChangeRow",
    "DiffRow",
    "LogRow",
    "News",
    "SchemaRow",
    "StatsRow",
    "ToolRow",
    "UseRow",
    "follow",
    "log",
    "schema",
    "schema_changes",
    "schema_diff",
    "schema_use",
    "stats",
    "tools",
]
