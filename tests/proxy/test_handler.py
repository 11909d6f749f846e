"""proxy/handler: trace contexts reach the rows when somebody wants them, and only then.

Over a whole data plane, by the fast way and by the long one.
"""

import json

import pytest
from tests.dataplane.building import RESULT, answer, post
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import answering, playing
from tests.dataplane.plane import proxying
from tests.dataplane.scene import run
from tests.protocol.test_trace import CONTEXT, PARENT

from mcpr.events import Aside

OTHER = PARENT.replace("0af7", "1bf8")
OTHER_CONTEXT = bytes.fromhex("1bf8") + CONTEXT[2:]
HEADER = b"traceparent: " + OTHER.encode()
OPAQUE = b"x-odd: 1"


def a_call(traceparent: str | None, arguments: object = None) -> bytes:
    meta = {} if traceparent is None else {"_meta": {"traceparent": traceparent}}
    params = {"name": "get_weather", "arguments": arguments or {}, **meta}
    return json.dumps(
        {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
    ).encode()


@pytest.mark.parametrize(
    ("body", "lines", "aside"),
    [
        (a_call(None), (), None),
        (a_call(PARENT), (), Aside(parent=CONTEXT)),
        (a_call(None), (HEADER,), Aside(parent=OTHER_CONTEXT)),
        (a_call(PARENT), (HEADER,), Aside(parent=CONTEXT, link=OTHER_CONTEXT)),
        (a_call(OTHER), (HEADER,), Aside(parent=OTHER_CONTEXT)),
        (a_call("nonsense"), (HEADER,), Aside(parent=OTHER_CONTEXT)),
        (a_call(None, {"traceparent": PARENT}), (), None),
        (a_call(None), (b"traceparent: nonsense",), None),
    ],
)
@pytest.mark.parametrize("pieces", [1, 2])
def test_a_row_knows_the_trace_that_its_request_named(
    body: bytes, lines: tuple[bytes, ...], aside: Aside | None, pieces: int
) -> None:
    """MCP SEP-414: `_meta` names the parent; a header is another context, and only a link then."""

    async def scene() -> None:
        async with (
            playing(answering(answer(RESULT))) as upstream,
            proxying(upstream.port, traces=True) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(3):  # Not known, known as a skeleton, and known.
                whole = post(body, *lines, OPAQUE)
                parts = (whole,) if pieces == 1 else (whole[:40], whole[40:])
                for part in parts:
                    await caller.send(part)
                assert (await caller.answer()).status == 200
            rows = plane.rows()
            assert [row.aside for row in rows] == [aside] * 3
            assert {row.outcome for row in rows} == {"ok"}

    run(scene())


def test_who_does_not_want_traces_has_none_and_no_call_goes_the_long_way() -> None:
    async def scene() -> None:
        async with (
            playing(answering(answer(RESULT))) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
        ):
            for _ in range(3):
                assert (await caller.call(post(a_call(PARENT), HEADER))).status == 200
            assert len(plane.pool.completed) >= 2
            assert [row.aside for row in plane.rows()] == [None] * 3

    run(scene())
