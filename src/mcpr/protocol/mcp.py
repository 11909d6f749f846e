"""The words of the Model Context Protocol: methods, revisions, and what names a request's subject.

Both eras: *legacy* (2024-11-05 to 2025-11-25: handshake, sessions) and *modern* (2026-07-28:
every request describes itself). The era is a property of each request, never of a connection.
"""

import re
from typing import Literal

REVISIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
FIRST_MODERN = "2026-07-28"

META_REVISION = "io.modelcontextprotocol/protocolVersion"
META_CLIENT = "io.modelcontextprotocol/clientInfo"
META_SERVER = "io.modelcontextprotocol/serverInfo"

#: Requests a client may send, of every revision and of the published extensions.
REQUESTS = frozenset(
    (
        "initialize",
        "ping",
        "server/discover",
        "tools/list",
        "tools/call",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "resources/directory/read",
        "prompts/list",
        "prompts/get",
        "completion/complete",
        "logging/setLevel",
        "subscriptions/listen",
        "tasks/get",
        "tasks/result",
        "tasks/list",
        "tasks/update",
        "tasks/cancel",
        "skills/list",
        "skills/get",
    )
)

#: Notifications a client may send.
NOTIFICATIONS = frozenset(
    (
        "notifications/initialized",
        "notifications/cancelled",
        "notifications/progress",
        "notifications/roots/list_changed",
        "notifications/tasks/status",
        "notifications/elicitation/complete",
    )
)

KNOWN_METHODS = REQUESTS | NOTIFICATIONS

#: Requests whose answers hold resources, and so widgets.
WITH_RESOURCES = frozenset(("resources/list", "resources/templates/list", "resources/read"))

#: Requests whose answer is a stream that stays open.
STREAMS = frozenset(("subscriptions/listen",))

#: Requests whose answer says what the server offers, or what it is.
LISTINGS = frozenset(
    (
        "initialize",
        "server/discover",
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
    )
)

OTHER = "_other"

SubjectKind = Literal["tool", "prompt", "resource"]

#: What a method's subject is, and in which parameter it stands.
SUBJECTS: dict[str, tuple[SubjectKind, str]] = {
    "tools/call": ("tool", "name"),
    "prompts/get": ("prompt", "name"),
    "resources/read": ("resource", "uri"),
    "resources/subscribe": ("resource", "uri"),
    "resources/unsubscribe": ("resource", "uri"),
}

_BOUNDED_NAME = re.compile(r"[A-Za-z0-9_./$-]{1,128}")
_BOUNDED_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,32}")
_REVISION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def bounded_method(method: str) -> str:
    """The method if the specification knows it, else `_other`: callers choose this text."""
    return method if method in KNOWN_METHODS else OTHER


def bounded_tool(name: str) -> str:
    """The tool's name if it looks like one, else `_other`: callers choose this text."""
    return name if _BOUNDED_NAME.fullmatch(name) else OTHER


def bounded_version(version: str | None) -> str | None:
    """A client's version if it looks like one."""
    return version if version is not None and _BOUNDED_VERSION.fullmatch(version) else None


def bounded_revision(revision: str | None) -> str | None:
    """A protocol revision if it looks like one: a date."""
    return revision if revision is not None and _REVISION.fullmatch(revision) else None


def is_modern(revision: str | None) -> bool:
    """Whether a request of this revision describes itself. Dates compare as text."""
    return revision is not None and revision >= FIRST_MODERN


def origin_of_code(code: int) -> Literal["client", "server"]:
    """Whose doing a JSON-RPC error is: the caller's for malformed or unfit requests (ADR 0005)."""
    client = code == -32700 or -32602 <= code <= -32600 or -32029 <= code <= -32020
    return "client" if client else "server"
