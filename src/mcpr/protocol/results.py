"""Results of MCP, as far as they say what they are; and how programs introduce themselves."""

import msgspec

from mcpr.protocol.mcp import META_SERVER


class Implementation(msgspec.Struct, gc=False):
    """`clientInfo` or `serverInfo`, as told by whoever sent it."""

    name: str | None = None
    version: str | None = None


class ResultMeta(msgspec.Struct, gc=False):
    """`result._meta`, as far as revision 2026-07-28 says in it who answered."""

    server: Implementation | None = msgspec.field(name=META_SERVER, default=None)


class Task(msgspec.Struct, gc=False):
    """A task, as far as it can be told from others."""

    task_id: str | None = msgspec.field(name="taskId", default=None)
    status: str | None = None


class Result(msgspec.Struct, gc=False):
    """A result, as far as it says whether it is one, and what it is one leg of.

    kind: `complete`, `input_required`, `task`; None is complete (2026-07-28).
    """

    is_error: bool | None = msgspec.field(name="isError", default=None)
    revision: str | None = msgspec.field(name="protocolVersion", default=None)
    kind: str | None = msgspec.field(name="resultType", default=None)
    state: str | None = msgspec.field(name="requestState", default=None)
    task: Task | None = None
    task_id: str | None = msgspec.field(name="taskId", default=None)
    status: str | None = None
    server: Implementation | None = msgspec.field(name="serverInfo", default=None)
    meta: ResultMeta | None = msgspec.field(name="_meta", default=None)
