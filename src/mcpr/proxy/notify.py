"""Tells the service manager that started us how we are, by the protocol of sd_notify(3).

One datagram for each message, to the socket that NOTIFY_SOCKET names; where there is none, nothing
is sent. Never waits: a manager that does not read loses a message, and the log says so once.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import MutableMapping

_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_SEND_BUFFER_BYTES = 1 << 20

_log = logging.getLogger(__name__)


class Notifier:
    """The manager's ear, or nobody's.

    watchdog_seconds: within this time it wants a sign of life; None if it does not ask.
    """

    def __init__(self, address: str | None, watchdog_seconds: float | None = None) -> None:
        self.watchdog_seconds = watchdog_seconds
        self._address = "\0" + address[1:] if address and address[0] == "@" else address
        self._socket: socket.socket | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._has_complained = False

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str]) -> "Notifier":
        """What the variables say. They are taken away: they are not meant for our children."""
        address, interval_us, pid = (environment.pop(name, "") for name in _VARIABLES)
        if address[:1] not in {"/", "@"}:
            if address:
                _log.warning("NOTIFY_SOCKET is no path and no abstract name: nobody is notified")
            return cls(None)
        is_ours = not pid or pid == str(os.getpid())
        wanted = is_ours and interval_us.isascii() and interval_us.isdigit() and int(interval_us)
        return cls(address, wanted / 1e6 if wanted else None)

    def ready(self, status: str) -> None:
        """Started, or reloaded. status: one line for people."""
        self._send(f"READY=1\nSTATUS={_line(status)}")

    def reloading(self) -> None:
        """Reading the settings anew; `ready` says when that is done."""
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={now_us}\nSTATUS=reading the settings anew")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1\nSTATUS=finishing what was begun")

    def status(self, text: str) -> None:
        """One line for people."""
        self._send(f"STATUS={_line(text)}")

    def keep_alive(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give signs of life from this loop, twice as often as asked for, until `close`."""
        if self.watchdog_seconds is not None:
            self._send("WATCHDOG=1")
            self._ticking = loop.call_later(self.watchdog_seconds / 2, self.keep_alive, loop)

    def close(self) -> None:
        """No more is said."""
        if self._ticking is not None:
            self._ticking.cancel()
        if self._socket is not None:
            self._socket.close()
        self._address = self._socket = None

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._socket.setblocking(False)  # noqa: FBT003 - the standard library's signature
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
            self._socket.sendto(message.encode(), self._address)
        except OSError as error:
            if not self._has_complained:
                self._has_complained = True
                _log.warning("cannot notify the service manager: %s", error.strerror or error)


def _line(text: str) -> str:
    """A text that cannot pass for another assignment."""
    return " ".join(text.split())
