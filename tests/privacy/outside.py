"""The world outside the proxy's machine: its MCP server, a resolver, and somebody who listens.

A program that runs in a network namespace of its own, at the other end of the only cable. Obeys
lines on stdin, each answered with a line of JSON; hears every packet from the first one on.

    plug            the cable is here: begin to listen, resolver and server are up
    upstream MODE   up; down: nobody listens; closes: takes a connection and closes it
    dns MODE        answers; nobody: an address that nobody has; nxdomain; fails; silent
    report          what was heard, and how many packets were lost
"""

import contextlib
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.privacy.packets import DNS_PORT, Capture, name_in

CABLE, INSIDE, OUTSIDE, NOBODY = "outside", "10.99.0.1", "10.99.0.2", "10.99.0.77"
INSIDE6, OUTSIDE6 = "fd99::1", "fd99::2"
PORT, END_PORT = 9000, 9999
_BODY = b'{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":false}}'
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(_BODY),
    _BODY,
)
_CODES = {"answers": 0, "nobody": 0, "nxdomain": 3, "fails": 2}


def ip(*words: str) -> None:
    """Configure the network."""
    subprocess.run(["ip", *words], check=True, timeout=30)


class Upstream:
    """A server that answers every POST with the same result."""

    def __init__(self) -> None:
        self._listener: socket.socket | None = None
        self._open: list[socket.socket] = []
        self._closes = False

    def be(self, mode: str) -> None:
        """Up, down or closing."""
        self._closes = mode == "closes"
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._open.clear()
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        if mode != "down":
            self._listener = socket.create_server((OUTSIDE, PORT), backlog=128)
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if self._closes:
                connection.close()
                continue
            self._open.append(connection)
            threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    heard = b""
    try:
        while piece := connection.recv(65_536):
            heard += piece
            # A request of ours ends with its JSON object.
            if heard.endswith(b"}}"):
                heard = b""
                connection.sendall(_ANSWER)
    except OSError:
        return


class Resolver:
    """Knows one address for every name."""

    def __init__(self) -> None:
        self.mode = "answers"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((OUTSIDE, DNS_PORT))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            query, asker = self._socket.recvfrom(4096)
            if self.mode != "silent":
                self._socket.sendto(self._reply(query), asker)

    def _reply(self, query: bytes) -> bytes:
        end = 12 + len(name_in(query)) + 2 + 4
        code = _CODES[self.mode]
        # An address only for type A; a question for AAAA has an empty answer.
        knows = not code and query[end - 4 : end - 2] == b"\0\1"
        head = query[:2] + bytes((0x81, 0x80 | code)) + b"\0\1\0" + bytes((knows,)) + bytes(4)
        address = socket.inet_aton(NOBODY if self.mode == "nobody" else OUTSIDE)
        record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + address if knows else b""
        return head + query[12:end] + record


def main() -> None:
    """Obey."""
    upstream = Upstream()
    resolver: Resolver | None = None
    capture: Capture | None = None
    for line in sys.stdin:
        verb, _, mode = line.strip().partition(" ")
        said: object = "done"
        if verb == "plug":
            ip("link", "set", "lo", "up")
            ip("link", "set", CABLE, "up")
            capture = Capture(CABLE)
            ip("addr", "add", f"{OUTSIDE}/24", "dev", CABLE)
            ip("addr", "add", f"{OUTSIDE6}/64", "dev", CABLE, "nodad")
            resolver = Resolver()
            upstream.be("up")
        elif verb == "upstream":
            upstream.be(mode)
        elif verb == "dns" and resolver is not None:
            resolver.mode = mode
        elif verb == "report" and capture is not None:
            lost = capture.close()
            said = {"packets": [packet[:5] for packet in capture.packets], "lost": lost}
            said["queried"] = [packet.queried for packet in capture.packets]
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
