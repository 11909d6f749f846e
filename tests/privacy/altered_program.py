"""`mcpr run` with one thing about it altered, for the tests: a leak, a mistake, less patience.

Arguments: the name of the alteration, then those of `mcpr run`. Everything else is what is shipped.
The companion is this program, too, for the alterations that belong there.
"""

import base64
import contextlib
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from mcpr import cli, proxy
from mcpr.dataplane import Completed, Listener, Refusal, Watch
from mcpr.dataplane.client import Client
from mcpr.events import Detail, RequestEvent
from mcpr.pipeline.exchange import Exchange
from mcpr.pipeline.identity import SessionNames
from mcpr.protocol.limits import Limits
from mcpr.proxy import app, companion, metrics, plane
from mcpr.proxy.handler import ProxyHandler
from mcpr.proxy.recorder import RecorderSettings
from mcpr.proxy.status import Status
from mcpr.settings import RunSettings
from mcpr.sinks import SINKS
from mcpr.sinks.access import AccessSink
from mcpr.sinks.prometheus import Snapshot
from mcpr.sinks.stderr import StderrSink

_kept: list[socket.socket] = []
_last = ""


class TalkativeHandler(ProxyHandler):
    """Hands the request's and the answer's body of each common call to `tell`."""

    def completed(self, calls: list[Completed]) -> None:
        for call in calls:
            self.tell(call[1], call[5])
            super().completed([call])

    def tell(self, request: bytes, answer: bytes) -> None:
        raise NotImplementedError


class IntoErrorText(ProxyHandler):
    """Records what was asked as the error's text."""

    def completed(self, calls: list[Completed]) -> None:
        publish, sink = self.recording.publish, self.recording.sink
        self.recording.sink = None  # Rows in columns have no place for it; single events do.
        for call in calls:
            detail = Detail(error_text=call[1].decode())
            self.recording.publish = partial(_publish_with, publish, detail)
            super().completed([call])
        self.recording.publish, self.recording.sink = publish, sink


def _publish_with(
    publish: Callable[[RequestEvent], None], detail: Detail, event: RequestEvent
) -> None:
    publish(msgspec.structs.replace(event, detail=detail))


class RawNames(SessionNames):
    """Takes the beginning of a session's id for its name."""

    def name(self, session_id: bytes) -> str:
        return session_id[:16].hex()


class IntoLog(TalkativeHandler):
    """Says what was asked."""

    def tell(self, request: bytes, answer: bytes) -> None:
        logging.getLogger("mcpr").info("calling %s", request.decode())


class IntoFile(TalkativeHandler):
    """Keeps answers in a file of the working directory, in base64."""

    def tell(self, request: bytes, answer: bytes) -> None:
        with Path("answers").open("ab") as file:
            file.write(base64.b64encode(answer) + b"\n")


class IntoTemporaryFile(TalkativeHandler):
    """Keeps requests for a while, in UTF-16, where temporary files are."""

    def tell(self, request: bytes, answer: bytes) -> None:
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.write(request.decode().encode("utf-16"))


class Greeting(Listener):
    """Says who connects."""

    def admit(self, client: Client) -> bool:
        peer = client.transport.get_extra_info("peername")
        logging.getLogger("mcpr").info("hello %s", peer[0])
        return super().admit(client)


class DetailedSink(StderrSink):
    """Shows local detail."""

    def write(self, batch: Sequence[RequestEvent]) -> int:
        for event in batch:
            if event.detail is not None and event.detail.subject is not None:
                sys.stderr.write(f"{event.detail.subject}\n")
        return super().write(batch)


class DetailedAccess(AccessSink):
    """Writes local detail into the access log."""

    def write(self, batch: Sequence[RequestEvent]) -> int:
        for event in batch:
            if event.detail is not None and event.detail.subject is not None:
                os.write(self._fd, f"{event.detail.subject}\n".encode())
        return super().write(batch)


class CountingSink(StderrSink):
    """Makes the last subject a label of the metrics."""

    def write(self, batch: Sequence[RequestEvent]) -> int:
        global _last  # noqa: PLW0603 - the page has no other way to it
        for event in batch:
            if event.detail is not None and event.detail.subject is not None:
                _last = event.detail.subject
        return super().write(batch)


def _labelled(accept: str, status: Status, totals: Snapshot | None) -> tuple[bytes, str]:
    page, kind = _exposition(accept, status, totals)
    return page + f'mcpr_calls_total{{subject="{_last}"}} 1\n'.encode(), kind


_exposition = metrics.exposition


def _handler(altered: type[ProxyHandler]) -> Callable[[], None]:
    def alter() -> None:
        vars(plane)["ProxyHandler"] = altered

    return alter


def _sink(altered: type[StderrSink]) -> Callable[[], None]:
    def alter() -> None:
        SINKS["stderr"] = f"__main__:{altered.__name__}"
        if altered is CountingSink:
            vars(metrics)["exposition"] = _labelled

    return alter


def _detailed_access() -> None:
    SINKS["access"] = f"__main__:{DetailedAccess.__name__}"


def _greeting() -> None:
    vars(plane)["Listener"] = Greeting


def _raw_names() -> None:
    vars(app)["SessionNames"] = RawNames


def _impatient() -> None:
    shipped = proxy.run

    def run(settings: RunSettings) -> int:
        return shipped(replace(settings, limits=Limits(first_byte_seconds=0.1)))

    vars(proxy)["run"] = run


def _mistake(where: str) -> Callable[[], None]:
    """A mistake of ours: while an answer is read, when an exchange ends, when a client is slow."""

    def fail(*_: object) -> None:
        raise ValueError("a planted mistake")

    def alter() -> None:
        place: tuple[type, str] = {
            "reading": (Exchange, "read_head"),
            "ending": (Exchange, "end"),
            "waiting": (Client, "pause_writing"),
        }[where]
        setattr(*place, fail)

    return alter


def _update_check() -> None:
    """Asks the port UPDATE_PORT of this machine whether there is something newer."""
    _kept.append(socket.create_connection(("127.0.0.1", int(os.environ["UPDATE_PORT"]))))


def _name_look_up() -> None:
    """Sends a datagram, as a resolver does."""
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.connect(("127.0.0.53", 53))
    _kept.append(asking)


#: A query for updates.example, type A.
_QUERY = bytes.fromhex(
    "0007 0100 0001 0000 0000 0000 07 75706461746573 07 6578616d706c65 00 0001 0001"
)


def _foreign_connection() -> None:
    """Tries to reach a machine that nobody named; does not wait for it."""
    trying = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    trying.settimeout(0)
    trying.connect_ex(("203.0.113.7", 443))
    _kept.append(trying)


def _datagram(family: socket.AddressFamily, address: str, port: int, data: bytes) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as sending:
        sending.sendto(data, (address, port))


def _foreign_name() -> None:
    """Looks a name up that is not the upstream's."""
    with contextlib.suppress(OSError):
        socket.getaddrinfo("updates.example", 443)


class Inventive(ProxyHandler):
    """Looks for another server when its own is gone."""

    def words(self, watch: Watch, refusal: Refusal) -> tuple[bytes, bytes]:
        _foreign_name()
        return super().words(watch, refusal)


ALTERATIONS: dict[str, Callable[[], None]] = {
    "nothing": lambda: None,
    "arguments into error_text": _handler(IntoErrorText),
    "session id in place of its name": _raw_names,
    "arguments into the log": _handler(IntoLog),
    "results into a file": _handler(IntoFile),
    "arguments into a temporary file": _handler(IntoTemporaryFile),
    "client address into the log": _greeting,
    "detail onto stderr": _sink(DetailedSink),
    "detail into the metrics": _sink(CountingSink),
    "detail into the access log": _detailed_access,
    "a mistake while reading": _mistake("reading"),
    "a mistake while ending": _mistake("ending"),
    "a mistake while waiting": _mistake("waiting"),
    "an update check": _update_check,
    "a name look-up": _name_look_up,
    "a foreign connection": _foreign_connection,
    "a foreign datagram": partial(_datagram, socket.AF_INET, "203.0.113.7", 9, b"hello"),
    "a foreign datagram by IPv6": partial(_datagram, socket.AF_INET6, "2001:db8::7", 9, b"hello"),
    "a datagram to the neighbourhood": partial(
        _datagram, socket.AF_INET, "10.99.0.44", 9, b"hello"
    ),
    "a resolver of its own": partial(_datagram, socket.AF_INET, "203.0.113.53", 53, _QUERY),
    "the machine's own resolver": partial(_datagram, socket.AF_INET, "127.0.0.53", 53, _QUERY),
    "a foreign name": _foreign_name,
    "another name when the server is gone": _handler(Inventive),
    "little patience": _impatient,
}


def main() -> int:
    """Be the proxy, or its companion."""
    role, name, *_ = sys.argv[1:]
    if role == "companion":
        ALTERATIONS[name]()
        companion.main()
        return 0
    ALTERATIONS[role]()
    shipped = app._recorder_settings

    def settings(asked: RunSettings) -> RecorderSettings:
        command = (sys.executable, "-P", __file__, "companion", role)
        return replace(shipped(asked), command=command)

    vars(app)["_recorder_settings"] = settings
    return cli.main(["run", *sys.argv[2:]])


if __name__ == "__main__":
    sys.exit(main())
