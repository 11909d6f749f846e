"""A loop to play a scene on, and waits that end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

#: The loop that mcpr uses where there is one, and the one that it uses elsewhere.
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}
WAIT_SECONDS = 20.0
_SCENE_SECONDS = 15.0


def run(scene: Coroutine[Any, Any, None], loop: str = "uvloop") -> None:
    """Play a scene from its beginning to its end, which comes within a minute."""

    async def bounded() -> None:
        async with asyncio.timeout(_SCENE_SECONDS):
            await scene

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(bounded())


async def turn() -> None:
    """Let everybody on this loop read what was written to them."""
    for _ in range(4):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Wait for what somebody else on this loop, or another process, is about to do."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - nothing tells when somebody else did it
            await asyncio.sleep(0.002)
