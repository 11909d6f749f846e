"""Reads the settings again, on SIGHUP and when their file has changed, and has them adopted.

All or nothing: what is wrong changes nothing, and is said. Reading happens in a thread: no disk
makes a call wait.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import replace

from mcpr.dataplane import Address
from mcpr.errors import McprError
from mcpr.proxy.notify import Notifier
from mcpr.proxy.plane import address_of
from mcpr.settings import RunSettings
from mcpr.settings.changes import changes
from mcpr.settings.files import signature_of

_POLL_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Reloader:
    """Keeps the settings of a running proxy as the operator has them.

    adopt: has new settings; called on the loop. announce: tells others of them; in a thread.
    refused: told when new ones are wrong.
    stop: called when the terminal of the proxy is gone, which SIGHUP tells, too.
    """

    def __init__(
        self,
        settings: RunSettings,
        adopt: Callable[[RunSettings, Address], None],
        announce: Callable[[RunSettings], None],
        refused: Callable[[], None],
        notifier: Notifier,
        stop: Callable[[], None],
    ) -> None:
        self._started = settings
        self._current = settings
        self._adopt = adopt
        self._announce = announce
        self._refused = refused
        self._notifier = notifier
        self._stop = stop
        self._loop = asyncio.get_running_loop()
        self._asked = asyncio.Event()
        # Whoever started us with `nohup` wants us to outlive the terminal.
        is_kept = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        self._had_terminal = not is_kept and _has_terminal()
        self._on_terminal = [fd for fd in (0, 1, 2) if os.isatty(fd)]
        self._read_as = self._signature()
        self._seen_as = self._read_as
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Heed SIGHUP, and look at the file from now on."""
        if self._started.asked is None:
            return
        self._loop.add_signal_handler(signal.SIGHUP, self._on_hangup)
        self._task = self._loop.create_task(self._run())

    async def close(self) -> None:
        """Look no more."""
        self._loop.remove_signal_handler(signal.SIGHUP)
        # A late one must not end the drain.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _on_hangup(self) -> None:
        if self._had_terminal and not _has_terminal():
            # Nobody reads the last words, and they must not become an error.
            nobody = os.open(os.devnull, os.O_RDWR)
            for fd in self._on_terminal:
                os.dup2(nobody, fd)
            os.close(nobody)
            self._stop()
        else:
            self._asked.set()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._asked.wait()
            except TimeoutError:
                if not await self._loop.run_in_executor(None, self._has_changed):
                    continue
            self._asked.clear()
            await self._reload()

    def _signature(self) -> tuple[int, ...] | None:
        asked = self._started.asked
        return None if asked is None or asked.file is None else signature_of(asked.file)

    def _has_changed(self) -> bool:
        """Whether the file is another one than was read, and whoever wrote it has finished."""
        before, self._seen_as = self._seen_as, self._signature()
        return self._seen_as == before != self._read_as

    async def _reload(self) -> None:
        self._notifier.reloading()
        try:
            new, address = await self._loop.run_in_executor(None, self._read)
        except McprError as error:
            self._refuse("\n".join(error.lines))
        except OSError as error:
            self._refuse(error.strerror or str(error))
        else:
            self._change(new, address)
            await self._loop.run_in_executor(None, self._announce, self._current)
        self._notifier.ready(f"before {self._current.upstream}")

    def _refuse(self, why: str) -> None:
        _log.error("the settings stay as they were: %s", why)
        self._refused()

    def _read(self) -> tuple[RunSettings, Address]:
        """In a thread. Raises SettingsError, or OSError when there are no certificates."""
        assert self._started.asked is not None
        # Before it is read: what is written meanwhile is another change.
        self._read_as = self._seen_as = self._signature()
        new, _ = self._started.asked.read()
        return new, address_of(new.upstream)

    def _change(self, new: RunSettings, address: Address) -> None:
        started = self._started
        changed = [
            change.key for change in changes(self._current.model, new.model) if change.reload
        ]
        waiting = [change.key for change in changes(started.model, new.model) if not change.reload]
        # What needs a restart stays as it is, in what depends on it, too.
        kept = replace(new, host=started.host, port=started.port, db=started.db)
        if (new.log == "off") != (started.log == "off"):
            # Whether there is anybody to show events is decided at the start.
            kept = replace(kept, log=self._current.log)
            changed = [key for key in changed if key != "log.form"]
            waiting.append("log.form")
        if not kept.is_loopback and not kept.allowed_hosts:
            self._refuse(
                f"other machines reach {started.host} until a restart, and no name would be left "
                "by which they may call"
            )
            return
        self._adopt(kept, address)
        self._current = kept
        said = f"reloaded: {', '.join(changed)}" if changed else "read again: nothing to reload"
        if waiting:
            said += f"; only a restart changes {', '.join(waiting)}"
        _log.info("settings %s", said)


def _has_terminal() -> bool:
    """Whether this process has a terminal that could be closed."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
