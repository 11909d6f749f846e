"""Clients that call one after the other, each on its own connection, and note what they saw."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from tests.dataplane.building import post
from tests.dataplane.messages import read_message


def call_of(tool: str) -> bytes:
    """A call of that tool."""
    return post(
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"%b"}}' % tool.encode()
    )


def now_ms() -> float:
    return time.time_ns() / 1_000_000


@dataclass
class Notes:
    """What the clients saw, by the tool's name, which no two calls share.

    sent: when it was sent. answered: when its whole answer was there, in epoch milliseconds.
    cut: calls that never got their whole answer.
    """

    sent: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    cut: list[str] = field(default_factory=list)


async def call_on(port: int, name: str, notes: Notes) -> None:
    """Call until the proxy says that it closes, or is gone."""
    with contextlib.suppress(ConnectionError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for number in itertools.count():
                tool = f"{name}-{number}"
                notes.sent[tool] = now_ms()
                writer.write(call_of(tool))
                got = await read_message(reader)
                if got is None or not got.is_whole or got.status != 200:
                    notes.cut.append(tool)
                    break
                notes.answered[tool] = now_ms()
                if got.value(b"connection") == b"close":
                    break
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def loading(port: int, name: str, connections: int, notes: Notes) -> AsyncIterator[None]:
    """Load from so many connections; ends when each of them was closed by the proxy."""
    async with asyncio.TaskGroup() as clients:
        for number in range(connections):
            clients.create_task(call_on(port, f"{name}-{number}", notes))
        yield
