"""One exchange: its kind, its rows, its times and sizes, whatever happens to it."""

import pytest
from tests.pipeline.messages import (
    PROGRESS,
    batch,
    call_tool,
    cancelled,
    error,
    event,
    notification,
    result,
)
from tests.pipeline.playbook import (
    EVENTS,
    JSON,
    WALL_MS,
    Playbook,
    detail_of,
    ended_as,
    said,
    session,
    session_hash,
)

from mcpr.pipeline.outcomes import Ending

HTML = b"Content-Type: text/html"


def test_a_call_is_one_row_with_the_time_of_every_step() -> None:
    play = Playbook()
    body, answer = call_tool(city="Berlin"), result(content=[])
    talk = play.post(body, session("s"), at=10, sent=12.5)
    talk.answers(200, JSON, at=30.25).says(answer, at=31)
    assert play.take() == []
    talk.ends(at=32)
    row = play.take_one()
    assert (row.kind, row.method, row.tool, row.outcome) == (
        "rpc",
        "tools/call",
        "get_weather",
        "ok",
    )
    assert row.ts_ms == WALL_MS + 10
    assert row.id[:6] == (WALL_MS + 32).to_bytes(6, "big")
    assert (row.latency_us, row.upstream_us) == (22_000, 19_500)
    assert detail_of(row).upstream_first_us == 17_750
    assert (row.bytes_in, row.bytes_out) == (len(body), len(answer))
    assert (row.http_status, row.session, row.server) == (200, session_hash("s"), "weather")


def test_what_never_went_upstream_has_no_upstream_time() -> None:
    play = Playbook()
    play.post(call_tool(), sent=None).refused("busy", 503, at=5010)
    row = play.take_one()
    assert said([row]) == ["rpc tools/call get_weather limited limit"]
    assert (row.upstream_us, detail_of(row).upstream_first_us) == (None, None)
    assert (row.http_status, row.latency_us, row.bytes_out) == (503, 5_000_000, 0)


def test_an_answer_in_pieces_is_read_and_counted_whole() -> None:
    play = Playbook()
    answer = result(isError=True)
    talk = play.post(call_tool()).answers(200, JSON)
    talk.says(*(answer[i : i + 1] for i in range(len(answer)))).ends()
    row = play.take_one()
    assert ended_as(row) == "tool_error/tool"
    assert row.bytes_out == len(answer)


def test_a_body_that_nobody_reads_is_counted() -> None:
    play = Playbook()
    talk = play.sends(b"POST", b"Content-Type: text/plain", body=b"x" * 10)
    talk.exchange.request_size(5)
    talk.answers(200, HTML).says(b"y" * 7).ends()
    row = play.take_one()
    assert (row.kind, row.bytes_in, row.bytes_out) == ("http", 15, 7)


NOTIFICATIONS = {
    "initialized": (notification("notifications/initialized"), "notifications/initialized"),
    "cancelled": (cancelled(1), "notifications/cancelled"),
    "cancelled without a word": (
        notification("notifications/cancelled"),
        "notifications/cancelled",
    ),
    "unknown": (notification("notifications/whatever"), "_other"),
    "a method without an id": (notification("tools/call", {"name": "add"}), "tools/call add"),
    "a batch of them": (
        batch(notification("notifications/progress"), notification("notifications/initialized")),
        "notifications/progress",
    ),
}


@pytest.mark.parametrize(("body", "words"), NOTIFICATIONS.values(), ids=NOTIFICATIONS)
def test_a_notification_is_one_row_of_its_own_kind(body: bytes, words: str) -> None:
    play = Playbook()
    play.post(body).answers(202).ends()
    assert said(play.take()) == [f"notification {words} ok"]


@pytest.mark.parametrize(
    ("status", "wanted"),
    [(400, "http_error/client"), (401, "challenge/auth"), (500, "http_error/server")],
)
def test_a_refused_notification_ends_by_its_status(status: int, wanted: str) -> None:
    play = Playbook()
    play.exchange(notification("notifications/initialized"), error(-32600), status=status)
    assert ended_as(play.take_one()) == wanted


@pytest.mark.parametrize("ending", ["gone", "cut", "timeout", "unreachable"])
def test_a_notification_that_broke_off_ends_by_its_ending(ending: Ending) -> None:
    play = Playbook()
    play.post(notification("notifications/initialized")).ends(ending)
    assert play.take_one().outcome in {"client_gone", "broken", "timeout", "unreachable"}


@pytest.mark.parametrize(
    "body", [result(7, action="accept"), error(-1, id=7), batch(result(1), result(2))]
)
def test_the_answer_to_a_servers_request_is_one_row_without_a_method(body: bytes) -> None:
    play = Playbook()
    play.post(body, session("s")).answers(202).ends()
    assert said(play.take()) == ["notification ok"]


def test_a_batch_is_a_row_for_each_request_with_its_own_answer() -> None:
    play = Playbook()
    body = batch(
        call_tool("a", id=1),
        notification("notifications/progress"),
        call_tool("b", id="1"),
        call_tool("c", id=3),
        result(9),
    )
    answer = batch(result("1"), error(-32602, id=3), result(1, isError=True))
    play.exchange(body, answer)
    rows = play.take()
    assert said(rows) == [
        "rpc tools/call a tool_error tool",
        "rpc tools/call b ok",
        "rpc tools/call c rpc_error client -32602",
    ]
    assert sum(row.bytes_in for row in rows) == len(body)
    assert sum(row.bytes_out for row in rows) == len(answer)
    assert len({row.id for row in rows}) == 3


def test_a_batch_may_be_answered_by_several_events_in_any_order() -> None:
    play = Playbook()
    talk = play.post(batch(call_tool("a", id=1), call_tool("b", id=2), call_tool("c", id=3)))
    talk.answers(200, EVENTS).says(event(result(3)), PROGRESS, event(result(1))).ends()
    assert said(play.take()) == [
        "rpc tools/call a ok",
        "rpc tools/call b broken protocol",
        "rpc tools/call c ok",
    ]


def test_a_batch_that_is_refused_as_one_is_refused_for_each_request() -> None:
    play = Playbook()
    play.exchange(
        batch(call_tool("a", id=1), call_tool("b", id=2)), error(-32600, id=None), status=400
    )
    assert said(play.take()) == [
        "rpc tools/call a rpc_error client -32600",
        "rpc tools/call b rpc_error client -32600",
    ]


def test_a_batch_of_thousands_is_matched_without_looking_at_every_pair() -> None:
    play = Playbook()
    numbers = range(4000)
    body = batch(*(call_tool(id=n) for n in numbers))
    play.exchange(body, batch(*(result(n, isError=n % 2 == 0) for n in reversed(numbers))))
    rows = play.take()
    assert [row.outcome for row in rows] == ["tool_error", "ok"] * 2000


IDS = {
    "number": ("1", "1", True),
    "text": ('"1"', '"1"', True),
    "text is no number": ('"1"', "1", False),
    "number is no text": ("1", '"1"', False),
    "one as a float": ("1", "1.0", True),
    "negative": ("-7", "-7", True),
    "beyond 64 bits": ("18446744073709551617", "18446744073709551617", True),
    "next to each other beyond 53 bits": ("9007199254740993", "9007199254740992", False),
    "escaped": (r'"\u0061"', '"a"', True),
    "empty": ('""', '""', True),
    "null": ("null", "null", True),
    "true is no one": ("true", "1", False),
    "UUID": ('"019b76da-a87b"', '"019b76da-a87b"', True),
}


@pytest.mark.parametrize(("asked", "told", "same"), IDS.values(), ids=IDS)
@pytest.mark.parametrize("others", [0, 20], ids=["alone", "among many"])
def test_an_answer_belongs_to_the_request_with_the_same_id(
    asked: str, told: str, same: bool, others: int
) -> None:
    play = Playbook()
    more = [result(f"other {n}") for n in range(others)]
    body = b'{"id":' + asked.encode() + b',"method":"ping"}'
    play.exchange(body, batch(*more, b'{"id":' + told.encode() + b',"result":{}}'))
    assert ended_as(play.take_one()) == ("ok" if same else "broken/protocol")


@pytest.mark.parametrize("others", [0, 20])
def test_the_first_of_two_answers_with_one_id_counts(others: int) -> None:
    play = Playbook()
    talk = play.post(call_tool()).answers(200, EVENTS)
    more = [event(result(f"other {n}")) for n in range(others)]
    talk.says(event(result()), *more, event(error(-32603))).ends()
    assert ended_as(play.take_one()) == "ok"


OTHER_REQUESTS = {
    "DELETE": (b"DELETE", b"/mcp", 200, "http ok", "/mcp"),
    "DELETE refused": (b"DELETE", b"/mcp", 405, "http http_error client", "/mcp"),
    "GET": (b"GET", b"/health?token=x", 200, "http ok", "/health"),
    "HEAD": (b"HEAD", b"/mcp", 405, "http http_error client", "/mcp"),
    "OPTIONS": (b"OPTIONS", b"/mcp", 204, "http ok", "/mcp"),
    "redirected": (b"GET", b"/mcp/", 307, "http ok", "/mcp/"),
    "metadata": (
        b"GET",
        b"/.well-known/oauth-protected-resource/mcp",
        200,
        "oauth ok",
        "/.well-known/oauth-protected-resource/mcp",
    ),
    "no metadata": (
        b"GET",
        b"/.well-known/openid-configuration",
        404,
        "oauth http_error client",
        "/.well-known/openid-configuration",
    ),
    "broken metadata": (
        b"GET",
        b"/.well-known/oauth-authorization-server",
        500,
        "oauth http_error server",
        "/.well-known/oauth-authorization-server",
    ),
    "form": (b"POST", b"/token", 200, "http ok", "/token"),
}


@pytest.mark.parametrize(
    ("method", "target", "status", "words", "path"), OTHER_REQUESTS.values(), ids=OTHER_REQUESTS
)
def test_what_is_no_message_is_one_row_with_method_and_path_kept_here(
    method: bytes, target: bytes, status: int, words: str, path: str
) -> None:
    play = Playbook()
    play.sends(method, session("s"), target=target).answers(status, HTML).ends()
    row = play.take_one()
    assert said([row]) == [words]
    assert (row.http_status, row.session) == (status, session_hash("s"))
    assert (detail_of(row).http_method, detail_of(row).path) == (method.decode(), path)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"{", b"hello", b"[1]", b'{"id":1}'])
def test_json_that_is_no_message_is_recorded_as_what_it_is(body: bytes) -> None:
    play = Playbook()
    play.exchange(body, error(-32700, id=None), status=400)
    row = play.take_one()
    assert said([row]) == ["http http_error client"]
    assert (row.bytes_in, detail_of(row).path) == (len(body), "/mcp")


def test_a_message_says_nothing_of_its_path() -> None:
    play = Playbook()
    play.exchange(call_tool(), result())
    assert (detail_of(play.rows[0]).http_method, detail_of(play.rows[0]).path) == (None, None)


def test_an_answer_of_our_own_carries_the_id_of_the_request_as_it_was_sent() -> None:
    play = Playbook()
    for body, wanted in (
        (b'{"id": 1.50, "method":"ping"}', b"1.50"),
        (call_tool(id="a"), b'"a"'),
        (notification("notifications/initialized"), None),
        (batch(call_tool(id=1), call_tool(id=2)), None),
        (batch(call_tool(id=1), notification("notifications/initialized")), b"1"),
        (b"garbage", None),
    ):
        request_id = play.post(body).exchange.request_id
        assert (None if request_id is None else bytes(request_id)) == wanted


def test_a_debugger_is_shown_kind_method_and_status() -> None:
    play = Playbook()
    assert (
        repr(play.post(call_tool()).answers(200, JSON).exchange) == "<Exchange rpc tools/call 200>"
    )
    assert repr(play.get().exchange) == "<Exchange stream GET None>"
