"""An MCP server of the tests, in a process of its own: what it does is said by what it is asked.

A POST is a JSON-RPC call; the beginning of its tool's name says how it is answered: `cut…` half,
`hold…` never, `slow…` late, any other at once. A GET of /large answers many bytes, any other GET
opens an event stream. Says its port on stdout. Arguments: a certificate and its key, or nothing.
"""

import asyncio
import contextlib
import json
import ssl
import sys
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.dataplane.building import CHUNKED, EVENTS, answer, head
from tests.dataplane.messages import Message, chunked, read_message

LARGE_BYTES = 16 * 1024 * 1024
LATE_SECONDS = 0.3
PIECE = bytes(range(256)) * 256
EVENT = b"event: message\ndata: {}\n\n"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    with contextlib.suppress(ConnectionError):
        while (asked := await read_message(reader)) is not None and asked.is_whole:
            if asked.start.startswith(b"GET"):
                await _get(asked, reader, writer)
            elif not await _call(json.loads(asked.body), reader, writer):
                break
    writer.close()


async def _get(asked: Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if b"/large" not in asked.start:
        writer.write(head(b"HTTP/1.1 200 OK", EVENTS, CHUNKED) + chunked(EVENT)[:-5])
        await reader.read()
        return
    writer.write(head(b"HTTP/1.1 200 OK", b"Content-Length: %d" % LARGE_BYTES))
    for _ in range(LARGE_BYTES // len(PIECE)):
        writer.write(PIECE)
        await writer.drain()


async def _call(
    call: dict[str, object], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Answer one call; whether the connection goes on."""
    params = call["params"]
    assert isinstance(params, dict)
    tool = params["name"]
    if tool.startswith("hold"):
        await reader.read()
        return False
    if tool.startswith("slow"):
        await asyncio.sleep(LATE_SECONDS)
    result = {"jsonrpc": "2.0", "id": call["id"], "result": {"content": [], "isError": False}}
    whole = answer(json.dumps(result).encode())
    writer.write(whole[:-10] if tool.startswith("cut") else whole)
    await writer.drain()
    return not tool.startswith("cut")


async def main() -> None:
    """Serve until the process is ended."""
    context = None
    if sys.argv[1:]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*sys.argv[1:])
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
