"""Load: wrk for time, a small client of our own for an exact number of requests."""

import contextlib
import http.client
import itertools
import json
import re
import selectors
import socket
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from benches.subjects import BUILD, HERE

from benches import calls

Heads = Literal["seen", "traceparent"]
Percentile = Literal["p50", "p90", "p99"]
MAX_WRK_REQUESTS = 1_000_000  # more than wrk can send in one run; keeps the ids of runs apart
READ_BYTES = 65536
SILENCE_SECONDS = 60


class LoadError(Exception):
    """The load did not go as it must; a figure made from it would be wrong."""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk is asked for."""

    heads: Heads = "seen"
    connections: int = 64
    seconds: int = 4


@dataclass(frozen=True, slots=True)
class WrkResult:
    """What wrk saw; the fields are those that calls.lua prints."""

    requests: int
    duration_us: int
    bytes: int
    connect: int
    read: int
    write: int
    status: int
    timeout: int
    p50_us: float
    p90_us: float
    p99_us: float

    def latency_us(self, percentile: Percentile) -> float:
        """One percentile of the whole time of a request."""
        return {"p50": self.p50_us, "p90": self.p90_us, "p99": self.p99_us}[percentile]

    @property
    def fault(self) -> str | None:
        """Why the run is invalid; None when every request was answered well."""
        counts = {
            "failed connects": self.connect,
            "read errors": self.read,
            "write errors": self.write,
            "answers of 400 and more": self.status,
            "timeouts": self.timeout,
        }
        faults = [f"{count} {what}" for what, count in counts.items() if count]
        if self.requests == 0:
            faults.append("no answer at all")
        return ", ".join(faults) or None


def run_wrk(url: str, load: Load, first_id: int, core: int) -> WrkResult:
    """One run of wrk, one thread, on `core`."""
    BUILD.mkdir(exist_ok=True)
    table = BUILD / "calls-table.lua"
    calls.write_lua(calls.prepare_calls(url), table)
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{load.connections}"]
    command += [f"-d{load.seconds}s", "--timeout", "10s", "-s", str(HERE / "calls.lua"), url]
    command += ["--", str(table), load.heads, str(first_id)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=load.seconds + 30, check=False
    )
    found = re.search(r"^RESULT (.+)$", done.stdout, re.MULTILINE)
    if found is None:
        raise LoadError(f"wrk gave no result: {(done.stdout + done.stderr)[-500:]}")
    return WrkResult(**json.loads(found[1]))


def wrk_ids() -> Iterator[int]:
    """First ids for the runs of wrk against one subject, far enough from each other."""
    return itertools.count(calls.FIRST_ID, MAX_WRK_REQUESTS)


def shake_hands(url: str) -> None:
    """Sends initialize and notifications/initialized, as a client does before its first call.

    Without it a proxy would never know the session, and its look-ups would all miss.
    Raises LoadError unless both are answered as the upstream answers them.
    """
    target = urlsplit(url)
    client = {"name": "bench-client", "version": "1.0.0"}
    first = {
        "method": "initialize",
        "params": {
            "protocolVersion": calls.REVISION,
            "capabilities": {},
            "clientInfo": client,
        },
        "jsonrpc": "2.0",
        "id": 0,
    }
    second = {"method": "notifications/initialized", "jsonrpc": "2.0"}
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
    }
    connection = http.client.HTTPConnection(target.netloc, timeout=SILENCE_SECONDS)
    try:
        for message, expected in ((first, 200), (second, 202)):
            connection.request("POST", target.path, json.dumps(message), headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != expected:
                raise LoadError(f"{message['method']} got {answer.status}: {body[:200]!r}")
            headers["mcp-session-id"] = calls.SESSION
            headers["mcp-protocol-version"] = calls.REVISION
    finally:
        connection.close()


class _Lane:
    """One connection of `send_calls`: at most one request under way."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._received = b""

    def send(self, request: bytes) -> None:
        """Sends one request; it fits into the socket's buffer."""
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Reads what is there; true when the answer is complete. Raises LoadError if it is bad."""
        data = self.socket.recv(READ_BYTES)
        if not data:
            raise LoadError(f"the proxy closed a connection after {self._received[:200]!r}")
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise LoadError(f"a call was answered {head[:200]!r}")
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        # The upstream's chunks hold JSON, in which there is no such line.
        if not (body.endswith(b"\r\n0\r\n\r\n") if length is None else len(body) >= int(length[1])):
            return False
        self._received = b""
        return True


def send_calls(url: str, ids: Iterable[int], connections: int, heads: Heads = "seen") -> int:
    """Sends one call per id over keep-alive connections, as fast as answers come; their count.

    heads: whether each call has a `traceparent` of its own.

    Raises LoadError at the first answer that is not 200 with a complete body.
    """
    target = urlsplit(url)
    assert target.hostname is not None
    assert target.port is not None
    prepared = itertools.cycle(calls.prepare_calls(url))
    is_fresh = heads == "traceparent"
    requests = (
        call.encode(request_id, is_fresh=is_fresh)
        for call, request_id in zip(prepared, ids, strict=False)
    )
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for request in itertools.islice(requests, connections):
            lane = _Lane(stack.enter_context(_connect(target.hostname, target.port)))
            selector.register(lane.socket, selectors.EVENT_READ, lane)
            lane.send(request)
        return _exchange(selector, requests)


def _exchange(selector: selectors.BaseSelector, requests: Iterator[bytes]) -> int:
    """Gives a lane its next request whenever its answer is complete; the number of answers."""
    answered = 0
    while selector.get_map():
        ready = selector.select(timeout=SILENCE_SECONDS)
        if not ready:
            raise LoadError(f"no answer for {SILENCE_SECONDS} s")
        for key, _ in ready:
            lane: _Lane = key.data
            if not lane.receive():
                continue
            answered += 1
            request = next(requests, None)
            if request is None:
                selector.unregister(lane.socket)
            else:
                lane.send(request)
    return answered


def _connect(host: str, port: int) -> socket.socket:
    connected = socket.create_connection((host, port), timeout=SILENCE_SECONDS)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected
