"""Conversations for tests: what a client sent and a server answered, and the rows that came of it.

    play = Playbook()
    call = play.post(call_tool("add", id=7), at=10, sent=12)
    call.answers(200, JSON, at=30)
    call.says(result(7), at=31)
    call.ends(at=32)
    assert said(play.take()) == ["rpc tools/call add ok"]

Times are milliseconds since the program began. Heads are written as lines and read by the same
parser as in the proxy, so that a conversation goes through every part of the room.
"""

from collections.abc import Iterable

from mcpr.events import Detail, Ids, RequestEvent
from mcpr.pipeline.digest import complete, pack
from mcpr.pipeline.exchange import Exchange, Recording
from mcpr.pipeline.facts import AnswerFacts, RequestFacts, answer_facts, request_facts
from mcpr.pipeline.identity import SessionNames
from mcpr.pipeline.outcomes import Ending
from mcpr.protocol.http1 import Heads
from mcpr.protocol.limits import Limits

MS = 1_000_000  # nanoseconds
WALL_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z: when the program began
NAMES = SessionNames(b"a key of tests")

JSON = b"Content-Type: application/json"
EVENTS = b"Content-Type: text/event-stream"
ACCEPT = b"Accept: application/json, text/event-stream"
TOKEN = b"Authorization: Bearer t"
MODERN = b"MCP-Protocol-Version: 2026-07-28"
LEGACY = b"MCP-Protocol-Version: 2025-11-25"


def session(name: str) -> bytes:
    """The header line of that session."""
    return b"Mcp-Session-Id: " + name.encode()


def session_hash(name: str) -> str:
    return NAMES.name(name.encode())


def facts_of(method: bytes, target: bytes, *lines: bytes) -> RequestFacts:
    data = b"\r\n".join([method + b" " + target + b" HTTP/1.1", b"Host: a", *lines, b"", b""])
    return request_facts(_heads().request(data), NAMES)


def answer_facts_of(status: int, *lines: bytes) -> AnswerFacts:
    data = b"\r\n".join([b"HTTP/1.1 %d x" % status, *lines, b"", b""])
    return answer_facts(_heads().response(data), NAMES)


def _heads() -> Heads:
    return Heads(max_line=Limits().line_bytes, max_fields=Limits().fields)


class Talk:
    """One exchange under way. Every step returns the talk, so that short ones fit a line."""

    def __init__(self, play: "Playbook", exchange: Exchange) -> None:
        self.exchange = exchange
        self._play = play
        play.under_way.append(exchange)

    def answers(self, status: int, *lines: bytes, at: float = 20) -> "Talk":
        self.exchange.read_head(answer_facts_of(status, *lines), round(at * MS))
        return self

    def says(self, *pieces: bytes, at: float = 25) -> "Talk":
        for piece in pieces:
            self.exchange.read_data(piece, round(at * MS))
        return self

    def refused(self, ending: Ending, status: int, at: float = 30) -> None:
        """The proxy answered itself."""
        self.exchange.status = status
        self.ends(ending, at=at)

    def ends(self, ending: Ending = "complete", at: float = 30) -> None:
        self.exchange.end(ending, round(at * MS))
        self._play.under_way.remove(self.exchange)


class Playbook:
    """A server's recording, and whoever talks to it.

    in_companion: large bodies go through the frame that the companion reads; else they are decoded
    in place.
    """

    def __init__(self, *, in_companion: bool = False, keep_detail: bool = True) -> None:
        self.rows: list[RequestEvent] = []
        self.frames: list[bytes] = []
        self.under_way: list[Exchange] = []
        self.recording = Recording(
            "weather",
            self.rows.append,
            Ids(lambda _bits: 0),
            active=lambda: list(self.under_way),
            keep_detail=keep_detail,
            wall_ns=WALL_MS * MS,
            names=NAMES,
        )
        if in_companion:
            self.recording.digest = self._digest

    def _digest(self, exchange: Exchange, ending: Ending, now_ns: int) -> bool:
        frame = pack(exchange, ending, now_ns)
        self.frames.append(frame)
        self.rows += complete(frame, self.recording.ids)
        return True

    def post(
        self,
        body: bytes,
        *lines: bytes,
        target: bytes = b"/mcp",
        at: float = 10,
        sent: float | None = 12,
    ) -> Talk:
        """A POST with a JSON body arrived, and was sent on (None: it was not)."""
        return self.sends(b"POST", JSON, ACCEPT, *lines, target=target, body=body, at=at, sent=sent)

    def get(self, *lines: bytes, target: bytes = b"/mcp", at: float = 10) -> Talk:
        """A GET for an event stream arrived, and was sent on."""
        return self.sends(b"GET", b"Accept: text/event-stream", *lines, target=target, at=at)

    def sends(
        self,
        method: bytes,
        *lines: bytes,
        target: bytes = b"/mcp",
        body: bytes | None = None,
        at: float = 10,
        sent: float | None = 12,
    ) -> Talk:
        """Any request arrived; its body is read only where the data plane reads it."""
        facts = facts_of(method, target, *lines)
        exchange = Exchange(self.recording, facts, round(at * MS), facts.kind)
        if body is not None and facts.is_json:
            exchange.read_request(body)
        elif body is not None:
            exchange.request_size(len(body))
        if sent is not None:
            exchange.sent_ns = round(sent * MS)
        return Talk(self, exchange)

    def exchange(self, body: bytes, answer: bytes, *lines: bytes, status: int = 200) -> None:
        """A POST and its JSON answer, without more to say about them."""
        self.post(body, *lines).answers(status, JSON).says(answer).ends()

    def opens(self, name: str, initialize: bytes, answer: bytes) -> None:
        """A client opens a session; its row is taken away."""
        self.post(initialize).answers(200, JSON, session(name)).says(answer).ends()
        self.take()

    def waits(self, at: float) -> None:
        """Time passes: requests whose answer never came are given up."""
        self.recording.unanswered.sweep(round(at * MS))

    def take(self) -> list[RequestEvent]:
        """The rows since the last time."""
        rows = self.rows[:]
        self.rows.clear()
        return rows

    def take_one(self) -> RequestEvent:
        (row,) = self.take()
        return row


def said(rows: Iterable[RequestEvent]) -> list[str]:
    """What each row says of its request, in a line; `-` for what it leaves open."""
    return [
        " ".join(
            str(word)
            for word in (row.kind, row.method, row.tool, row.outcome, row.origin, row.rpc_code)
            if word is not None
        )
        for row in rows
    ]


def ended_as(row: RequestEvent) -> str:
    """`outcome/origin/code` of a row, without what is not there."""
    words = (row.outcome, row.origin, row.rpc_code)
    return "/".join(str(word) for word in words if word is not None)


def detail_of(row: RequestEvent) -> Detail:
    assert row.detail is not None
    return row.detail
