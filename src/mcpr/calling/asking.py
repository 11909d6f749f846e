"""One GET of an address on this machine, in clear text, with one deadline for all of it.

For asking mcpr's own pages. Looks no name up, follows no redirect, keeps no connection.
"""

import re
import socket
import time
from typing import NamedTuple

_MAX_BYTES = 1 << 20
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r]")


class NoAnswer(Exception):
    """Nobody answered, or not in time, or not in HTTP; the text says which."""


class Answer(NamedTuple):
    """What was answered. body: as it came; chunked bodies are not taken apart."""

    status: int
    body: bytes


def ask(host: str, port: int, path: str, seconds: float, token: str | None = None) -> Answer:
    """Ask, and read until the end of the answer.

    host: an IP address without brackets. seconds: for everything together. token: opens the page.
    Raises NoAnswer.
    """
    until = time.monotonic() + seconds
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"GET {path} HTTP/1.1", f"Host: {authority}", "Connection: close"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    request = "\r\n".join([*lines, "", ""])
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            connection.settimeout(_left(until))
            connection.sendall(request.encode("latin-1", "replace"))
            heard = _read(connection, until)
    except TimeoutError:
        raise NoAnswer(f"no whole answer within {seconds:g} s") from None
    except OSError as error:
        raise NoAnswer((error.strerror or str(error)).lower()) from error
    status = _STATUS.match(heard)
    _, end, body = heard.partition(b"\r\n\r\n")
    if status is None or not end:
        raise NoAnswer("what answers there does not speak HTTP")
    return Answer(int(status[1]), body)


def _read(connection: socket.socket, until: float) -> bytes:
    heard = bytearray()
    while len(heard) <= _MAX_BYTES:
        connection.settimeout(_left(until))
        piece = connection.recv(65_536)
        if not piece:
            return bytes(heard)
        heard += piece
    raise NoAnswer("the answer is larger than any of ours")


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
