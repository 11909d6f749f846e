"""The planted relay changes one header and no other byte, whatever the framing."""

import asyncio

import pytest
from tests.conformance.headerdropper import Relay, without_header

DEADLINE_SECONDS = 10.0

WITH_TYPE = b"".join(
    [
        b"HTTP/1.1 202 Accepted\r\nContent-Type: a\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 17\r\ncontent-type: a\r\n\r\n",
        b"content-type: a\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\ncontent-TYPE: a\r\n\r\n",
        b"11;x=y\r\ncontent-type: a\r\n\r\n3\r\n\r\n\n\r\n0\r\nTrailer: content-type\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Type: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: a\r\n\r\nup to the end\r\n\r\ncontent-type: a\r\n",
    ]
)
WITHOUT_TYPE = b"".join(
    [
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n",
        b"content-type: a\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"11;x=y\r\ncontent-type: a\r\n\r\n3\r\n\r\n\n\r\n0\r\nTrailer: content-type\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nup to the end\r\n\r\ncontent-type: a\r\n",
    ]
)
REQUESTS = (
    b"POST /mcp?a=b HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
    b"GET /mcp HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n"
)


async def converse(responses: bytes, dropped: str | None) -> tuple[bytes, bytes]:
    """What a server received of REQUESTS, and a client of `responses`, through the relay."""
    received = bytearray()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.readexactly(len(REQUESTS)))
        writer.write(responses)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    urls: asyncio.Queue[str] = asyncio.Queue(1)
    relay = Relay(server.sockets[0].getsockname()[1], drop_response=dropped)
    async with server, asyncio.timeout(DEADLINE_SECONDS), asyncio.TaskGroup() as group:
        serving = group.create_task(relay.serve(urls.put_nowait))
        port = int((await urls.get()).rsplit(":", 1)[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUESTS)
        answered = await reader.read()
        writer.close()
        serving.cancel()
    return bytes(received), answered


@pytest.mark.parametrize(
    ("dropped", "expected"),
    [(None, WITH_TYPE), ("x-other", WITH_TYPE), ("content-type", WITHOUT_TYPE)],
)
def test_the_relay_changes_nothing_but_the_named_header(
    dropped: str | None, expected: bytes
) -> None:
    assert asyncio.run(converse(WITH_TYPE, dropped)) == (REQUESTS, expected)


def test_only_whole_names_are_dropped() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Accept: 1\r\nAccept: 2\r\nAccept-Ranges: 3\r\n\r\n"
    kept = b"HTTP/1.1 200 OK\r\nX-Accept: 1\r\nAccept-Ranges: 3\r\n\r\n"
    assert without_header(head, "accept") == kept
