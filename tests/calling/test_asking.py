"""calling/asking: one answer or one reason, within the time that was given."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from mcpr.calling import Answer, NoAnswer, ask

SECONDS = 30.0


@contextlib.contextmanager
def answering(*pieces: bytes, closes: bool = True, host: str = "127.0.0.1") -> Iterator[int]:
    """A server that answers its first visitor with these pieces."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    over = threading.Event()
    with socket.create_server((host, 0), family=family) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65_536)
                for piece in pieces:
                    connection.sendall(piece)
                if not closes:
                    over.wait(SECONDS)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join(SECONDS)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_whole_answer_is_read_in_whatever_pieces_it_comes(host: str) -> None:
    pieces = (b"HTTP/1.1 503 Serv", b"ice Unavailable\r\nA: b\r", b"\n\r\nfirst ", b"second")
    with answering(*pieces, host=host) as port:
        assert ask(host, port, "/ready", SECONDS) == Answer(503, b"first second")


@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        (b"", "does not speak HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1 << 21), "larger than any of ours"),
    ],
    ids=["nothing", "another protocol", "half a head", "endless"],
)
def test_what_is_no_answer_of_ours_is_told(piece: bytes, reason: str) -> None:
    with answering(piece) as port, pytest.raises(NoAnswer, match=reason):
        ask("127.0.0.1", port, "/", SECONDS)


def test_nobody_there_is_told_in_the_systems_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NoAnswer, match="connection refused"):
        ask("127.0.0.1", port, "/", SECONDS)


def test_the_time_is_for_the_whole_answer_and_not_for_each_piece() -> None:
    begun = time.monotonic()
    with (
        answering(b"HTTP/1.1 200 OK\r\n\r\nbegun", closes=False) as port,
        pytest.raises(NoAnswer, match=r"within 0\.2 s"),
    ):
        ask("127.0.0.1", port, "/", 0.2)
    assert time.monotonic() - begun < SECONDS
