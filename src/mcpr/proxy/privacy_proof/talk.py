"""The client of the proof. Its address is one that nobody else has, where the system allows it."""

import socket
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit

_SECONDS = 30.0
#: An address of the loopback network that is not the usual one. Linux has all of them.
ADDRESS = "127.7.7.7"
_USUAL = "127.0.0.1"


class Client:
    """Calls a proxy. said, heard: everything, both ways. address: where it calls from."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or _USUAL, parts.port or 80
        self.said = bytearray()
        self.heard = bytearray()
        self.address = ADDRESS if _can_call_from(ADDRESS, self._host, self._port) else None
        self._connection: socket.socket | None = None

    def ask(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> int:
        """Send a request in one piece and read its whole answer; the status, or 0 if it was cut."""
        usual = {"Host": f"{self._host}:{self._port}"}
        if body is not None:
            usual["Content-Length"] = str(len(body))
        fields = [f"{name}: {value}" for name, value in (usual | headers).items()]
        head = "\r\n".join([f"{method} {target} HTTP/1.1", *fields, "", ""])
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._send(self._connection, head.encode() + (body or b""))
            answer = HTTPResponse(self._connection, method=method)
            answer.begin()
            self.heard += str(answer.headers).encode() + answer.read()
        except (HTTPException, OSError):
            # A cut answer is part of the play.
            self.close()
            return 0
        if answer.will_close:
            self.close()
        return answer.status

    def say(self, data: bytes) -> None:
        """Send bytes that are no request, and read until the proxy closes."""
        with self._connect() as connection:
            self._send(connection, data)
            while piece := connection.recv(65_536):
                self.heard += piece

    def close(self) -> None:
        """Leave."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connect(self) -> socket.socket:
        source = (self.address, 0) if self.address else None
        return socket.create_connection((self._host, self._port), _SECONDS, source)

    def _send(self, connection: socket.socket, data: bytes) -> None:
        self.said += data
        connection.sendall(data)


def _can_call_from(address: str, host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _SECONDS, (address, 0)).close()
    except OSError:
        return False
    return True
