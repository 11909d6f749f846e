"""The proxy program: puts the pieces together, runs until told to stop, and drains.

Order at the start: store, companion, upstream pool, listener. Order at the end: the reverse.
"""

import asyncio
import gc
import json
import logging
import os
import random
import resource
import signal
import sys
from dataclasses import replace
from functools import partial
from time import monotonic_ns

from mcpr import __version__
from mcpr.dataplane import Address, Listener
from mcpr.errors import Exit
from mcpr.events import Ids
from mcpr.pipeline.csp import Widget, WidgetNews
from mcpr.pipeline.digest import pack, pack_look, pack_widgets
from mcpr.pipeline.exchange import Exchange, Recording
from mcpr.pipeline.guard import is_loopback
from mcpr.pipeline.identity import SessionNames, key_of
from mcpr.pipeline.outcomes import Ending
from mcpr.pipeline.pinning import Pin
from mcpr.proxy.admin_bind import admin_bind
from mcpr.proxy.announcing import announced
from mcpr.proxy.frames import AdminBind, Kind, Reopen
from mcpr.proxy.notify import Notifier
from mcpr.proxy.plane import adopt, make_plane
from mcpr.proxy.recorder import Recorder, RecorderSettings, Started
from mcpr.proxy.reload import Reloader
from mcpr.proxy.reporter import Reporter
from mcpr.settings import RunSettings
from mcpr.sinks.counts import Counts
from mcpr.store.sqlite import session_key

_RECORDER_DRAIN_SECONDS = 10.0
_ALERT_SECONDS = 15.0


def run(settings: RunSettings) -> int:
    """Run the proxy until SIGTERM or SIGINT. Returns the exit code; raises McprError at start."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="mcpr: %(message)s")
    # Before there is a child that could inherit it.
    notifier = Notifier.from_environment(os.environ)
    _admin(settings)  # Before anything is made: a wrong address is a wrong command.
    key = session_key(settings.db)
    _raise_descriptor_limit()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_Proxy(settings, key, notifier).serve())


class _Proxy:
    """One running proxy."""

    def __init__(self, settings: RunSettings, key: bytes, notifier: Notifier) -> None:
        self.settings = settings
        self._notifier = notifier
        self._names = SessionNames(key_of(key, settings.name))

    async def serve(self) -> int:
        settings = self.settings
        loop = asyncio.get_running_loop()
        # First of all: who reads that the proxy is there may end it the moment after.
        stop = _stop_signal(loop)
        pin = Pin() if settings.model.schema.pin == "block" else None
        asked = _recorder_settings(settings)
        recorder = Recorder(asked if pin is None else replace(asked, pinned=pin.allow))
        started = await recorder.start()
        recording = self._recording(recorder, pin)
        listener = make_plane(settings, recording, self._names, loop)
        recording.active = lambda: [
            watch for client in listener.clients if isinstance(watch := client.seen(), Exchange)
        ]
        try:
            port = await listener.start(settings.host, settings.port)
        except BaseException:
            await recorder.drain(1.0)
            raise
        _settle_memory()
        reporter = Reporter(listener, recording, recorder.tell)
        reporter.start()
        loop.add_signal_handler(signal.SIGUSR1, recorder.tell, Kind.REOPEN, Reopen())

        def adopt_settings(new: RunSettings, address: Address) -> None:
            self.settings = new
            reporter.reloaded(is_current=True)
            reporter.show_as(new.log)
            recorder.configure(new.dump)
            adopt(listener, new, address, recording, self._names)

        with announced(settings, port, started.admin_url) as announce:
            refused = partial(reporter.reloaded, is_current=False)
            reloader = Reloader(
                settings, adopt_settings, announce, refused, self._notifier, stop.ask
            )
            reloader.start()
            _say_hello(settings, port, started)
            self._notifier.ready(f"port {port}, before {settings.upstream}")
            self._notifier.keep_alive(loop)
            await stop.wait()
            self._notifier.stopping()
            await reloader.close()
            reporter.drain()
            code = await self._drain(listener, recording, recorder, reporter, stop)
        self._notifier.close()
        return code

    def _recording(self, recorder: Recorder, pin: Pin | None) -> Recording:
        """What exchanges are recorded by; it still has to be told which are under way."""
        settings = self.settings

        def digest(exchange: Exchange, ending: Ending, now_ns: int) -> bool:
            return recorder.digest(pack(exchange, ending, now_ns))

        def look(exchange: Exchange, change: bytes, now_ns: int) -> None:
            recorder.look(pack_look(exchange, change, now_ns))

        news = WidgetNews()

        def widgets(exchange: Exchange, found: list[Widget], now_ns: int) -> None:
            if recording.keep_detail and (new := news.of(found, now_ns)):
                recorder.look(pack_widgets(exchange, new, now_ns))

        recording = Recording(
            settings.name,
            recorder.publish,
            Ids(random.getrandbits),
            sink=recorder.publish_rows,
            digest=digest,
            look=look,
            keep_detail=settings.detail,
            csp=settings.csp,
            on_widgets=widgets,
            pin=pin,
        )
        return recording

    async def _drain(
        self,
        listener: Listener,
        recording: Recording,
        recorder: Recorder,
        reporter: Reporter,
        stop: "_StopSignal",
    ) -> int:
        cut = await listener.drain(self.settings.drain_seconds, stop.hurry)
        await listener.close_pools()
        recording.unanswered.drain(monotonic_ns())
        reporter.stop()
        counts = await recorder.drain(_RECORDER_DRAIN_SECONDS)
        _say_goodbye(counts, cut)
        return Exit.LOST_EVENTS if counts.dropped else Exit.OK


class _StopSignal:
    """The first SIGTERM or SIGINT asks for a drain, the second one for haste."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self.hurry = asyncio.Event()

    def ask(self) -> None:
        if self._asked.is_set():
            self.hurry.set()
        self._asked.set()

    async def wait(self) -> None:
        await self._asked.wait()


def _stop_signal(loop: asyncio.AbstractEventLoop) -> _StopSignal:
    stop = _StopSignal()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.ask)
    return stop


def _admin(settings: RunSettings) -> AdminBind | None:
    return admin_bind(settings.admin, settings.model.admin.token, settings.allowed_hosts)


def _alerts(settings: RunSettings) -> str:
    rules = [alert.rule for alert in settings.model.alert]
    return json.dumps({"store": str(settings.db), "rules": rules, "interval": _ALERT_SECONDS})


def _recorder_settings(settings: RunSettings) -> RecorderSettings:
    sinks = [("sqlite", str(settings.db))]
    if settings.log != "off":
        sinks.append(("stderr", settings.log))
    access = settings.model.log.access_target
    if access is not None:
        sinks.append(("access", access))
    otlp = settings.model.otlp.target
    if otlp is not None:
        sinks.append(("otlp", otlp))
    if settings.model.alert:
        sinks.append(("alerts", _alerts(settings)))
    admin = _admin(settings)
    if admin is not None:
        sinks.append(("prometheus", ""))
    mode = settings.model.schema.pin
    kept = settings.model.store
    return RecorderSettings(
        tuple(sinks),
        admin=admin,
        has_plane=True,
        config=settings.dump,
        keeps_stdout=settings.model.log.access == "-",
        pin=None if mode == "off" else (settings.name, mode == "block"),
        keep=(round(kept.retention * 1000), kept.max_size),
    )


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    """What uvloop has where there is a wheel of it, else Python's: slower, otherwise the same."""
    try:
        import uvloop  # noqa: PLC0415 - it may be missing
    except ImportError:
        return None
    return uvloop.Loop


def _raise_descriptor_limit() -> None:
    """Every exchange needs two descriptors: take as many as the system gives."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _settle_memory() -> None:
    """What is made until here stays for good: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _say_hello(settings: RunSettings, port: int, started: Started) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    lines = [
        f"mcpr {__version__}",
        f"  proxy   http://{host}:{port}{settings.upstream.path}  ->  {settings.upstream}",
        f"  record  {settings.db}",
        f"  admin   {started.admin_url or 'off'}",
        "  next    mcpr logs --follow    mcpr tools    Ctrl-C to stop",
    ]
    asked = settings.asked
    if asked is not None and asked.file is not None:
        lines.insert(1, f"  file    {asked.file}")
    if not settings.is_loopback:
        lines.append("  warning: other machines can reach this proxy, in clear text")
    admin = _admin(settings)
    if admin is not None and not is_loopback(admin.host):
        lines.append("  warning: other machines can reach the admin pages, in clear text")
    if settings.upstream.scheme == "http" and not is_loopback(settings.upstream.host):
        lines.append("  warning: the way to the MCP server is in clear text")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _say_goodbye(counts: Counts, cut: int) -> None:
    unfinished = f"; {cut} exchanges were cut" if cut else ""
    sys.stderr.write(f"mcpr: stopped{unfinished}; events {counts}\n")
    sys.stderr.flush()
