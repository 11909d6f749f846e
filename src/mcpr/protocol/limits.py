"""How much of the wire we accept: sizes in bytes, counts, deadlines in seconds.

docs/topics/limits.md tells what happens beyond each.
"""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one upstream and of the listener before it. The defaults are documented ones.

    request_bytes: a JSON body of a POST; over it 413. Other bodies stream without a bound.
    answer_bytes: a JSON answer; with Content-Length 502, else cut and recorded as `limited`.
    exchanges: upstream exchanges at a time; a stream leaves the count once its head is through, any
        other answer once its reader cannot follow.
    streams: open streams at a time, and answers that have left the count.
    waiters, wait_seconds: how many exchanges wait for a place, and how long; then 503.
    connect_seconds: until the upstream accepts; then 502.
    first_byte_seconds: until the answer's head; then 504. Not for event streams of a GET.
    head_bytes, line_bytes, fields: of one head; over it 431.
    head_seconds: from a head's first byte to its last; then 408.
    body_seconds: between two pieces of a request body; then 408.
    idle_seconds: a client connection without a request.
    stalled_seconds: a client that reads nothing of an answer that waits for it; then it is closed.
    pool_idle_seconds: an upstream connection without an exchange (servers close theirs after 5).
    connections: client connections at a time; over it 503.
    """

    request_bytes: int = 5 * MIB
    answer_bytes: int = 10 * MIB
    exchanges: int = 100
    streams: int = 10_000
    waiters: int = 1_000
    wait_seconds: float = 5.0
    connect_seconds: float = 5.0
    first_byte_seconds: float = 120.0
    head_bytes: int = 65_536
    line_bytes: int = 16_384
    fields: int = 128
    head_seconds: float = 30.0
    body_seconds: float = 60.0
    idle_seconds: float = 75.0
    stalled_seconds: float = 300.0
    pool_idle_seconds: float = 4.0
    connections: int = 15_000
