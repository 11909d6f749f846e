"""HTTP/1.1 as bytes: strict heads and the chunked coding. No sockets."""

from mcpr.protocol.http1.chunked import LAST_CHUNK, BadChunk, Chunked, one_chunk
from mcpr.protocol.http1.head import (
    BadHead,
    Field,
    Head,
    RequestHead,
    ResponseHead,
    Role,
    find_end,
)
from mcpr.protocol.http1.heads import Heads

__all__ = [
    "LAST_CHUNK",
    "BadChunk",
    "BadHead",
    "Chunked",
    "Field",
    "Head",
    "Heads",
    "RequestHead",
    "ResponseHead",
    "Role",
    "find_end",
    "one_chunk",
]
