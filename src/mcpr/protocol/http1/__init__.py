"""HTTP/1.1 as bytes: strict heads and the chunked coding. No sockets."""

from mcpr.protocol.http1.changing import (
    has_credential,
    length_of,
    may_come_again,
    split_answer,
    split_request,
)
from mcpr.protocol.http1.chunked import LAST_CHUNK, BadChunk, Chunked, one_chunk, only_chunk
from mcpr.protocol.http1.forms import Form
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
from mcpr.protocol.http1.stems import Stem, Stems

__all__ = [
    "LAST_CHUNK",
    "BadChunk",
    "BadHead",
    "Chunked",
    "Field",
    "Form",
    "Head",
    "Heads",
    "RequestHead",
    "ResponseHead",
    "Role",
    "Stem",
    "Stems",
    "find_end",
    "has_credential",
    "length_of",
    "may_come_again",
    "one_chunk",
    "only_chunk",
    "split_answer",
    "split_request",
]
