"""protocol/trace: trace contexts, from a head and from `_meta`; what is not in order is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpr.protocol.trace import (
    CONTEXT_BYTES,
    NO_CONTEXT,
    context_of,
    context_of_lines,
    contexts_of_body,
)

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
CONTEXT = bytes.fromhex(TRACE + SPAN + "01")


@pytest.mark.parametrize(
    ("text", "context"),
    [
        (PARENT, CONTEXT),
        (f"00-{TRACE}-{SPAN}-00", CONTEXT[:-1] + b"\0"),
        # A later version may say more; what is known of it stands where it stood (section 3.3).
        (f"cc-{TRACE}-{SPAN}-01-what-else", CONTEXT),
        (f"cc-{TRACE}-{SPAN}-01", CONTEXT),
        (f"cc-{TRACE}-{SPAN}-01x", NO_CONTEXT),
        (f"{PARENT}-what-else", NO_CONTEXT),
        (f"ff-{TRACE}-{SPAN}-01", NO_CONTEXT),
        (f"00-{'0' * 32}-{SPAN}-01", NO_CONTEXT),
        (f"00-{TRACE}-{'0' * 16}-01", NO_CONTEXT),
        (PARENT.upper(), NO_CONTEXT),
        (PARENT + "\n", NO_CONTEXT),
        (" " + PARENT, NO_CONTEXT),
        ("", NO_CONTEXT),
        ("x" * 10_000, NO_CONTEXT),
    ],
)
def test_a_traceparent_is_read_as_the_recommendation_says(text: str, context: bytes) -> None:
    assert context_of(text) == context


@given(st.text() | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"))
def test_whatever_is_said_there_is_a_whole_context_or_none(text: str) -> None:
    assert len(context_of(text)) in {0, CONTEXT_BYTES}


@pytest.mark.parametrize(
    ("lines", "context"),
    [
        ([b"Content-Length: 5", b"traceparent: " + PARENT.encode()], CONTEXT),
        ([b"TraceParent:\t" + PARENT.encode() + b"  "], CONTEXT),
        ([b"traceparent: " + PARENT.encode()] * 2, NO_CONTEXT),
        ([b"tracestate: " + PARENT.encode(), b"x-traceparent: " + PARENT.encode()], NO_CONTEXT),
        ([b"traceparent: \xff"], NO_CONTEXT),
        ([], NO_CONTEXT),
    ],
)
def test_a_head_names_one_context_or_none(lines: list[bytes], context: bytes) -> None:
    assert context_of_lines(lines) == context


def a_message(meta: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": meta}}


NAMED = a_message({"traceparent": PARENT, "tracestate": "a=b"})


@pytest.mark.parametrize(
    ("body", "contexts"),
    [
        (NAMED, [CONTEXT]),
        ([NAMED, a_message({}), NAMED], [CONTEXT, NO_CONTEXT, CONTEXT]),
        (a_message({"traceparent": 5}), [NO_CONTEXT]),
        (a_message({"traceparent": None}), [NO_CONTEXT]),
        (a_message([]), [NO_CONTEXT]),
        ({"params": {"arguments": {"traceparent": PARENT}}}, [NO_CONTEXT]),
        ({"params": {"traceparent": PARENT}}, [NO_CONTEXT]),
        ({"_meta": {"traceparent": PARENT}}, [NO_CONTEXT]),
    ],
)
def test_only_meta_names_a_context(body: object, contexts: list[bytes]) -> None:
    assert contexts_of_body(json.dumps(body).encode(), len(contexts)) == contexts


@given(st.binary(max_size=60), st.integers(1, 3))
def test_a_body_that_cannot_be_read_names_none(body: bytes, messages: int) -> None:
    assert contexts_of_body(body + b'"traceparent"', messages) == [NO_CONTEXT] * messages
