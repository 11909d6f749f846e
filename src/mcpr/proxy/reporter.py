"""What the data plane tells the companion of itself, once a second: gauges, no event.

Read from what is there anyway: no call pays for it.
"""

import asyncio
import time
from collections.abc import Callable

from mcpr.dataplane import Listener, Pool
from mcpr.pipeline.exchange import Recording
from mcpr.proxy.frames import Kind, PlaneState, PoolState
from mcpr.proxy.status import resident_bytes

_PERIOD_SECONDS = 1.0


class Reporter:
    """Reads `listener` and `pool` and gives their state to `tell`."""

    def __init__(
        self,
        listener: Listener,
        pool: Pool,
        recording: Recording,
        tell: Callable[[Kind, PlaneState], None],
    ) -> None:
        self._listener = listener
        self._pool = pool
        self._recording = recording
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._is_draining = False

    def start(self) -> None:
        """Tell now, and then once a second."""
        self._tell(Kind.STATE, self.state())
        self._timer = self._loop.call_later(_PERIOD_SECONDS, self.start)

    def drain(self) -> None:
        """From now on the proxy is ending: say so at once."""
        self._is_draining = True
        self._tell(Kind.STATE, self.state())

    def stop(self) -> None:
        """Say how it ended, and no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._tell(Kind.STATE, self.state())

    def state(self) -> PlaneState:
        """The state as of now."""
        pool = self._pool
        idle = len(pool.idle)
        return PlaneState(
            is_draining=self._is_draining,
            connections=len(self._listener.clients),
            held_bytes=self._recording.held,
            cpu_seconds=time.process_time(),
            resident_bytes=resident_bytes(),
            pools=[
                PoolState(
                    server=self._recording.server,
                    exchanges=pool.exchanges,
                    streams=pool.streams,
                    waiting=len(pool.waiting),
                    idle=idle,
                    in_use=len(pool.connections) - idle,
                    opened=pool.opened,
                    reused=pool.reused,
                    failed=pool.failed,
                )
            ],
        )
