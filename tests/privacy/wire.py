"""Both ends of the proxy: an MCP server that answers by script, a client that sends raw bytes.

Both keep what went over their wire. Nothing here waits longer than WAIT_SECONDS.
"""

import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

WAIT_SECONDS = 20.0
LOOPBACK = "127.0.0.1"

#: A step of a script: bytes to send, something to wait for, or None to hang up.
Step = bytes | threading.Event | None


class Origin:
    """An HTTP server whose next answer is the next script. `heard`, `said`: all its bytes."""

    def __init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard = bytearray()
        self.said = bytearray()
        #: How many requests have arrived whole.
        self.requests = 0
        self._arrived = threading.Condition()
        self._scripts: queue.SimpleQueue[tuple[Step, ...]] = queue.SimpleQueue()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def will(self, *steps: Step) -> None:
        """Play these steps to the next request."""
        self._scripts.put(steps)

    def wait_for(self, requests: int) -> None:
        """Wait until so many requests have arrived."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: self.requests >= requests, WAIT_SECONDS)

    def close(self) -> None:
        """Refuse connections from now on, and end those there are."""
        # A listener that somebody accepts on is only gone once that is interrupted.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.add(connection)
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # Whoever leaves in mid-sentence is part of the play.
        with connection, suppress(OSError, EOFError):
            reader = _Reader(connection, self.heard)
            while True:
                head = reader.until(b"\r\n\r\n").lower()
                reader.body(head)
                with self._arrived:
                    self.requests += 1
                    self._arrived.notify_all()
                for step in self._scripts.get(timeout=WAIT_SECONDS):
                    if step is None:
                        return
                    if isinstance(step, threading.Event):
                        step.wait(WAIT_SECONDS)
                    else:
                        self.said += step
                        connection.sendall(step)
        self._open.discard(connection)


class Client:
    """A client on the address `source`, with one connection that it keeps as long as it may.

    said, heard: all its bytes.
    """

    def __init__(self, port: int, source: str = LOOPBACK) -> None:
        self._port = port
        self._source = source
        self._kept: socket.socket | None = None
        self._all = ExitStack()
        self.said = bytearray()
        self.heard = bytearray()

    def connect(self) -> socket.socket:
        """A connection of its own."""
        return self._all.enter_context(
            socket.create_connection(
                (LOOPBACK, self._port), WAIT_SECONDS, source_address=(self._source, 0)
            )
        )

    def send(self, connection: socket.socket, data: bytes) -> None:
        """Send some bytes."""
        self.said += data
        connection.sendall(data)

    def ask(self, request: bytes) -> bytes:
        """Send a request; return its final answer, whole, or as much of it as came."""
        connection = self._kept or self.connect()
        self._kept = None
        self.send(connection, request)
        answer, ended = self._answer(connection, request.startswith(b"HEAD "))
        head = answer.partition(b"\r\n\r\n")[0].lower()
        if ended or b"\r\nconnection: close" in head:
            connection.close()
        else:
            self._kept = connection
        return answer

    def read_until(self, connection: socket.socket, end: bytes) -> bytes:
        """What comes, up to these bytes."""
        return _Reader(connection, self.heard).until(end)

    def close(self) -> None:
        """Leave."""
        self._all.close()

    def _answer(self, connection: socket.socket, is_head: bool) -> tuple[bytes, bool]:
        reader = _Reader(connection, self.heard)
        answer = b""
        try:
            while not answer or answer.startswith(b"HTTP/1.1 1"):
                answer = reader.until(b"\r\n\r\n")
            if not is_head and answer[9:12] not in {b"204", b"304"}:
                answer += reader.body(answer.lower(), until_close=True)
        except EOFError:
            return answer, True
        return answer, reader.ended


class _Reader:
    """Reads messages off a connection. Raises EOFError where they stop too early."""

    def __init__(self, connection: socket.socket, heard: bytearray) -> None:
        self._connection = connection
        self._heard = heard
        self._rest = b""
        self.ended = False

    def until(self, end: bytes) -> bytes:
        pieces = self._rest
        while end not in pieces:
            pieces += self._more()
        found, mark, self._rest = pieces.partition(end)
        return found + mark

    def body(self, head: bytes, *, until_close: bool = False) -> bytes:
        """The body that a lower-case head announces."""
        fields = dict(line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
        if b"transfer-encoding" in fields:
            body = b""
            while (size := int((line := self.until(b"\r\n")).split(b";")[0], 16)) > 0:
                body += line + self._exactly(size + 2)
            trailers = b""
            while not (trailers == b"\r\n" or trailers.endswith(b"\r\n\r\n")):
                trailers += self.until(b"\r\n")
            return body + line + trailers
        if b"content-length" in fields:
            return self._exactly(int(fields[b"content-length"]))
        return b"".join((self._take(), *self._to_the_end())) if until_close else b""

    def _exactly(self, size: int) -> bytes:
        pieces = [self._take()]
        have = len(pieces[0])
        while have < size:
            pieces.append(self._more())
            have += len(pieces[-1])
        data = b"".join(pieces)
        self._rest = data[size:]
        return data[:size]

    def _take(self) -> bytes:
        rest, self._rest = self._rest, b""
        return rest

    def _to_the_end(self) -> Iterator[bytes]:
        with suppress(EOFError):
            while True:
                yield self._more()

    def _more(self) -> bytes:
        try:
            data = self._connection.recv(1 << 20)
        except ConnectionError:
            data = b""
        self._heard += data
        if not data:
            self.ended = True
            raise EOFError
        return data
