"""Events for tests: one that stands for all, and a strategy for every one there may be."""

import itertools

import msgspec
from hypothesis import strategies as st

from mcpr.events import KINDS, ORIGINS, OUTCOMES, Aside, Detail, Ids, RequestEvent

TS_MS = 1_767_225_600_123  # 2026-01-01T00:00:00.123Z

_numbers = itertools.count()


def an_event(**fields: object) -> RequestEvent:
    """A successful tool call, with an id of its own; `fields` replace what it says."""
    ids = Ids(lambda _bits: next(_numbers))
    event = RequestEvent(
        id=ids.mint(TS_MS),
        ts_ms=TS_MS,
        server="weather",
        kind="rpc",
        method="tools/call",
        tool="get_weather",
        outcome="ok",
        origin=None,
        http_status=200,
        rpc_code=None,
        latency_us=45_200,
        upstream_us=44_100,
        bytes_in=147,
        bytes_out=312,
        session="0123456789abcdef0123456789abcdef",
        client="claude-code",
        client_version="2.1.0",
        revision="2025-11-25",
        detail=Detail(subject="file:///secret", error_text="secret words"),
    )
    return msgspec.structs.replace(event, **fields)


def many(count: int) -> list[RequestEvent]:
    """`count` events, each with its own id."""
    return [an_event() for _ in range(count)]


_number = st.integers(0, 2**53 - 1)
_names = st.from_regex(r"[A-Za-z0-9_./$-]{1,128}", fullmatch=True)


@st.composite
def event_ids(draw: st.DrawFn) -> bytes:
    """UUIDv7s."""
    return Ids(lambda bits: draw(st.integers(0, 2**bits - 1))).mint(draw(st.integers(0, 2**48 - 1)))


details = st.builds(
    Detail,
    subject=st.none() | st.text(max_size=20),
    method=st.none() | st.text(max_size=20),
    error_text=st.none() | st.text(max_size=20),
    upstream_first_us=st.none() | _number,
)

asides = st.builds(
    Aside,
    exchange=_number,
    rows=st.integers(1, 9),
    parent=st.just(b"") | st.binary(min_size=25, max_size=25),
    link=st.just(b"") | st.binary(min_size=25, max_size=25),
)

events = st.builds(
    RequestEvent,
    id=event_ids(),
    # To the end of the year 9998: Python has no later dates.
    ts_ms=st.integers(0, 253_370_764_800_000),
    server=st.from_regex(r"[^\x00-\x1f\x7f]{1,128}", fullmatch=True).filter(
        lambda text: text.encode(errors="ignore").decode() == text
    ),
    kind=st.sampled_from(KINDS),
    method=st.none() | _names,
    tool=st.none() | _names,
    outcome=st.sampled_from(OUTCOMES),
    origin=st.none() | st.sampled_from(ORIGINS),
    http_status=st.none() | st.integers(100, 599),
    rpc_code=st.none() | st.integers(-(2**53) + 1, 2**53 - 1),
    latency_us=_number,
    upstream_us=st.none() | _number,
    bytes_in=_number,
    bytes_out=_number,
    session=st.none() | st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    client=st.none() | st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True),
    client_version=st.none() | st.from_regex(r"[0-9A-Za-z.+-]{1,32}", fullmatch=True),
    revision=st.none() | st.from_regex(r"[0-9A-Za-z.-]{1,32}", fullmatch=True),
    detail=st.none() | details,
    aside=st.none() | asides,
)
