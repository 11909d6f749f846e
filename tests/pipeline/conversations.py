"""Conversations of every kind, at random: what is asked, what is answered, how it ends."""

from dataclasses import dataclass

from hypothesis import strategies as st
from tests.pipeline.messages import (
    batch,
    call_tool,
    cancelled,
    error,
    event,
    initialize,
    modern,
    notification,
    request,
    result,
)
from tests.pipeline.playbook import EVENTS, JSON, Playbook, session

from mcpr.pipeline.outcomes import Ending


@dataclass(frozen=True)
class AnswerHead:
    status: int
    lines: tuple[bytes, ...]


@dataclass(frozen=True)
class Conversation:
    """requests: how many JSON-RPC requests are in the body. head: None when none came."""

    body: bytes
    requests: int
    lines: tuple[bytes, ...]
    head: AnswerHead | None
    pieces: tuple[bytes, ...]
    ending: Ending

    def happen(self, play: Playbook) -> None:
        talk = play.post(self.body, *self.lines, at=10, sent=11)
        if self.head is not None:
            talk.answers(self.head.status, *self.head.lines, at=12).says(*self.pieces, at=13)
        talk.ends(self.ending, at=14)

    @property
    def bytes_out(self) -> int:
        return 0 if self.head is None else sum(map(len, self.pieces))


_requests = st.one_of(
    st.builds(call_tool, st.sampled_from(["a", "b c"]), id=st.sampled_from([1, 2, "1", "x"])),
    st.sampled_from(
        [
            initialize(),
            modern("server/discover"),
            modern("subscriptions/listen", id=5),
            request("prompts/get", {"name": "p"}),
            request("resources/read", {"uri": "u"}),
            request("what/ever"),
        ]
    ),
)
_no_requests = st.sampled_from(
    [notification("notifications/initialized"), cancelled(1), result(4), error(-1, id=4)]
)
_bodies = st.one_of(
    _requests.map(lambda body: (body, 1)),
    _no_requests.map(lambda body: (body, 0)),
    st.tuples(st.lists(_requests, max_size=4), st.lists(_no_requests, max_size=2)).map(
        lambda both: (batch(*both[0], *both[1]), len(both[0]))
    ),
    st.sampled_from([(b"", 0), (b"{}", 0), (b"{", 0), (b'{"id":1}', 0)]),
)
messages = st.sampled_from(
    [
        *(result(1), result(2), result("1"), result("x", isError=True), result(0)),
        *(error(-32601), error(-32603, id=None), error(-1, id="x")),
        *(call_tool(id=1), notification("notifications/message", {"data": "an error"})),
        *(b"{}", b"garbage", b""),
    ]
)
pieces = st.lists(
    st.one_of(
        messages,
        messages.map(event),
        messages.map(lambda data: event(data, b"id: 7")),
        st.just(b"id: 1\ndata:\n\n"),
        st.binary(max_size=10),
        st.lists(messages, max_size=3).map(lambda found: batch(*found)),
    ),
    max_size=5,
).map(tuple)
heads = st.builds(
    AnswerHead,
    st.sampled_from([200] * 4 + [202, 204, 302, 400, 401, 404, 405, 500]),
    st.tuples(
        st.sampled_from([JSON, EVENTS, b"Content-Type: text/html"]),
        st.sampled_from([b"X: y"] * 4 + [b"Content-Encoding: gzip", b"Content-Encoding: br"]),
        st.sampled_from([b"X: y", session("new")]),
    ),
)
endings: st.SearchStrategy[Ending] = st.sampled_from(
    [
        *["complete"] * 6,
        *("cut", "garbage", "timeout", "unreachable", "gone", "over"),
        *("busy", "too_large", "denied", "malformed", "stopped", "internal"),
    ]
)
lines = st.sampled_from([(), (session("s"),)])


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    body, asked = draw(_bodies)
    return Conversation(
        body, asked, draw(lines), draw(st.none() | heads), draw(pieces), draw(endings)
    )
