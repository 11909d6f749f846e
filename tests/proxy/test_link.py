"""proxy/link: the last words of a companion that died are heard."""

import asyncio
import sys

from tests.proxy.recording import run, until

from mcpr.proxy.link import spawn

# Says something, leaves what it was told unread, and dies the hard way.
LAST_WORDS = """
import os, signal, socket, sys
end = socket.socket(fileno=int(sys.argv[-1]))
end.sendall((5).to_bytes(4, "big") + b"\\x12hello")
end.recv(1, socket.MSG_PEEK)
os.kill(os.getpid(), signal.SIGKILL)
"""


def command(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_what_a_companion_said_before_it_was_killed_is_heard() -> None:
    """Even when our writing fails first: acknowledgements must not be lost with the companion."""

    async def scene() -> None:
        heard: list[tuple[int, bytes]] = []
        companion = await spawn(command(LAST_WORDS), lambda kind, body: heard.append((kind, body)))
        companion.link.write(b"x" * 10)
        await companion.link.closed
        companion.link.write(b"nobody is there")
        assert await companion.end() == "signal 9 killed it"
        assert heard == [(0x12, b"hello")]

    run(scene())


def test_a_companion_that_closes_its_end_and_lives_on_is_killed() -> None:
    async def scene() -> None:
        companion = await spawn(
            command("import os, sys, time; os.close(int(sys.argv[-1])); time.sleep(3600)"),
            lambda _kind, _body: None,
        )
        await companion.link.closed
        assert await companion.end(seconds=0.1) == "signal 9 killed it"

    run(scene())


def test_nonsense_from_the_companion_closes_the_link() -> None:
    async def scene() -> None:
        program = (
            "import os, sys; os.write(int(sys.argv[-1]), b'\\xff' * 9)\n"
            "os.read(int(sys.argv[-1]), 1)"
        )
        companion = await spawn(command(program), lambda _kind, _body: None)
        await companion.link.closed
        assert await companion.end() == "it ended with status 0"

    run(scene())


def test_what_nobody_reads_is_known_by_its_size() -> None:
    async def scene() -> None:
        companion = await spawn(command("import time; time.sleep(3600)"), lambda _kind, _body: None)
        companion.link.write(bytes(4_000_000))
        await until(lambda: 0 < companion.link.waiting_bytes < 4_000_000)
        await asyncio.sleep(0)
        companion.kill()
        await companion.end()
        assert companion.link.waiting_bytes == 0

    run(scene())
