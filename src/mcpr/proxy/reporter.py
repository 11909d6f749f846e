"""What the data plane tells the companion of itself, once a second: gauges, no event.

Read from what is there anyway: no call pays for it.
"""

import asyncio
import time
from collections.abc import Callable

from mcpr.dataplane import Listener
from mcpr.pipeline.exchange import Recording
from mcpr.proxy.frames import Kind, PlaneState, PoolState
from mcpr.proxy.status import resident_bytes

_PERIOD_SECONDS = 1.0


class Reporter:
    """Reads `listener` and its pools and gives their state to `tell`."""

    def __init__(
        self,
        listener: Listener,
        recording: Recording,
        tell: Callable[[Kind, PlaneState], None],
    ) -> None:
        self._listener = listener
        self._recording = recording
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._is_draining = False
        self._log: str | None = None
        self._reloads = 0
        self._refused = 0
        self._is_current = True

    def reloaded(self, *, is_current: bool) -> None:
        """The settings were read again; whether they are those in force now."""
        self._reloads += 1
        self._refused += not is_current
        self._is_current = is_current

    def show_as(self, log: str) -> None:
        """Have events shown in this form from now on, by every companion to come, too."""
        self._log = log
        self._tell(Kind.STATE, self.state())

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
        # After a reload what was under way ends on a pool of its own: people see one.
        pools = self._listener.pools
        idle = sum(len(pool.idle) for pool in pools)
        return PlaneState(
            is_draining=self._is_draining,
            connections=len(self._listener.clients),
            held_bytes=self._recording.held,
            cpu_seconds=time.process_time(),
            resident_bytes=resident_bytes(),
            pools=[
                PoolState(
                    server=self._recording.server,
                    exchanges=sum(pool.exchanges for pool in pools),
                    streams=sum(pool.streams for pool in pools),
                    waiting=sum(len(pool.waiting) for pool in pools),
                    idle=idle,
                    in_use=sum(len(pool.connections) for pool in pools) - idle,
                    opened=sum(pool.opened for pool in pools),
                    reused=sum(pool.reused for pool in pools),
                    failed=sum(pool.failed for pool in pools),
                )
            ],
            log=self._log,
            reloads=self._reloads,
            refused=self._refused,
            is_current=self._is_current,
            sessions=len(self._recording.sessions),
            sessions_evicted=self._recording.sessions.evicted,
        )
