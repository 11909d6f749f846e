"""What can be asked of a store: one file each, with its row and its contract.

A question is asked of an `EventStore` and knows no engine; whoever shows the answer (a command, a
page, the JSON API) only chooses the filter and the form.
"""

from mcpr.store.questions.behaviour import (
    AbandonedRow,
    AdoptionRow,
    DiscoveryRow,
    LoopRow,
    RecoveryRow,
    SizeRow,
    abandoned,
    adoption,
    discovery,
    loops,
    recoveries,
    sizes,
)
from mcpr.store.questions.check import CheckRow, Limits, check
from mcpr.store.questions.clients import ClientRow, clients
from mcpr.store.questions.compat import CompatRow, compat
from mcpr.store.questions.errors import ErrorGroup, error, errors
from mcpr.store.questions.health import Health, State, Thresholds
from mcpr.store.questions.latency import HeatRow, LatencyRow, heat, latency, steps_for
from mcpr.store.questions.log import LogRow, News, follow, log
from mcpr.store.questions.operations import OperationRow, operations
from mcpr.store.questions.schema import SchemaRow, schema
from mcpr.store.questions.schema_changes import ChangeRow, schema_changes
from mcpr.store.questions.schema_diff import DiffRow, schema_diff
from mcpr.store.questions.schema_use import UseRow, schema_use
from mcpr.store.questions.servers import ServerRow, servers
from mcpr.store.questions.sessions import SessionRow, session, sessions
from mcpr.store.questions.slow import SlowRow, slow
from mcpr.store.questions.stats import StatsRow, stats
from mcpr.store.questions.summary import SummaryRow, summary
from mcpr.store.questions.tools import ToolRow, tools
from mcpr.store.questions.widgets import WidgetRow, widgets

__all__ = [
    "AbandonedRow",
    "AdoptionRow",
    "ChangeRow",
    "CheckRow",
    "ClientRow",
    "CompatRow",
    "DiffRow",
    "DiscoveryRow",
    "ErrorGroup",
    "Health",
    "HeatRow",
    "LatencyRow",
    "Limits",
    "LogRow",
    "LoopRow",
    "News",
    "OperationRow",
    "RecoveryRow",
    "SchemaRow",
    "ServerRow",
    "SessionRow",
    "SizeRow",
    "SlowRow",
    "State",
    "StatsRow",
    "SummaryRow",
    "Thresholds",
    "ToolRow",
    "UseRow",
    "WidgetRow",
    "abandoned",
    "adoption",
    "check",
    "clients",
    "compat",
    "discovery",
    "error",
    "errors",
    "follow",
    "heat",
    "latency",
    "log",
    "loops",
    "operations",
    "recoveries",
    "schema",
    "schema_changes",
    "schema_diff",
    "schema_use",
    "servers",
    "session",
    "sessions",
    "sizes",
    "slow",
    "stats",
    "steps_for",
    "summary",
    "tools",
    "widgets",
]
