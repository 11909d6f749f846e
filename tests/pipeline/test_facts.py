"""What the two heads of an exchange say that matters to its record."""

import base64

import msgspec
import pytest
from tests.pipeline.playbook import NAMES, answer_facts_of, facts_of, session_hash
from tests.protocol.http1.building import read

from mcpr.pipeline.facts import AnswerFacts, RequestFacts, request_facts

JSON_TYPES = [
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    "application/json;charset=utf-8",
    " application/json ; x=y",
    "application/problem+json",
    "application/mcp+JSON",
]
OTHER_TYPES = [
    "",
    "text/plain",
    "text/html; charset=utf-8",
    "application/jsonp",
    "application/jsonlines",
    "text/json",
    "multipart/form-data; boundary=application/json",
    "text/event-stream",
]


def post(*lines: bytes, target: bytes = b"/mcp") -> RequestFacts:
    return facts_of(b"POST", target, *lines)


@pytest.mark.parametrize("kind", JSON_TYPES)
def test_a_json_body_is_told_by_its_media_type(kind: str) -> None:
    assert post(b"Content-Type: " + kind.encode()).is_json
    assert answer_facts_of(200, b"Content-Type: " + kind.encode()).is_json


@pytest.mark.parametrize("kind", OTHER_TYPES)
def test_what_says_another_media_type_is_not_read_as_json(kind: str) -> None:
    assert not post(b"Content-Type: " + kind.encode()).is_json
    answer = answer_facts_of(200, b"Content-Type: " + kind.encode())
    assert not answer.is_json
    assert not answer.is_plain
    assert answer.is_events == (kind == "text/event-stream")


def test_what_says_no_media_type_is_not_read() -> None:
    assert not post().is_json
    answer = answer_facts_of(202)
    assert not answer.is_json
    assert not answer.is_events
    assert not answer.is_plain


@pytest.mark.parametrize("method", [b"PUT", b"PATCH", b"DELETE", b"GET", b"OPTIONS"])
def test_only_a_post_carries_messages(method: bytes) -> None:
    assert not facts_of(method, b"/mcp", b"Content-Type: application/json").is_json


@pytest.mark.parametrize("kind", ["text/event-stream", "Text/Event-Stream; charset=utf-8"])
def test_an_event_stream_is_told_by_its_media_type(kind: str) -> None:
    answer = answer_facts_of(200, b"Content-Type: " + kind.encode())
    assert answer.is_events
    assert not answer.is_json


CODINGS = {
    "none": ([], None),
    "identity": ([b"identity"], None),
    "empty": ([b""], None),
    "gzip": ([b"gzip"], "gzip"),
    "case": ([b"GZip"], "gzip"),
    "x-gzip": ([b"x-gzip"], "x-gzip"),
    "deflate": ([b"deflate"], "deflate"),
    "brotli": ([b"br"], "br"),
    "zstd": ([b"zstd"], "zstd"),
    "identity in a list": ([b"identity, gzip"], "gzip"),
    "two in a line": ([b"gzip, br"], "gzip,br"),
    "two lines": ([b"gzip", b"gzip"], "gzip,gzip"),
    "a long one": ([b"x" * 100], "x" * 32),
}


@pytest.mark.parametrize(("values", "coding"), CODINGS.values(), ids=CODINGS)
def test_the_content_coding_is_read(values: list[bytes], coding: str | None) -> None:
    lines = [b"Content-Encoding: " + value for value in values]
    answer = answer_facts_of(200, b"Content-Type: application/json", *lines)
    assert answer.coding == coding
    assert answer.is_plain == (coding is None)
    # A request body in a coding travels on unread.
    assert post(b"Content-Type: application/json", *lines).is_json == (coding is None)


@pytest.mark.parametrize("status", [300, 307, 400, 401, 500])
def test_only_a_2xx_answer_is_plain(status: int) -> None:
    assert answer_facts_of(200, b"Content-Type: application/json").is_plain
    assert not answer_facts_of(status, b"Content-Type: application/json").is_plain


def b64(text: str) -> str:
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


MIRRORED = {
    "plain": ("get_weather", "get_weather"),
    "with blanks inside": ("get weather", "get weather"),
    "base64": (b64("погода"), "погода"),
    "base64 of blanks around": (b64(" x "), " x "),
    "base64 of the marker": (b64("=?base64?eA==?="), "=?base64?eA==?="),
    "base64 of nothing": ("=?base64??=", ""),
    "no padding": ("=?base64?eHh4eA?=", "=?base64?eHh4eA?="),
    "no base64": ("=?base64?!!!!?=", "=?base64?!!!!?="),
    "no UTF-8 in it": ("=?base64?/w==?=", "=?base64?/w==?="),
    "upper-case marker": ("=?BASE64?eA==?=", "=?BASE64?eA==?="),
    "not closed": ("=?base64?eA==", "=?base64?eA=="),
    "closed by its beginning": ("=?base64?=", "=?base64?="),
    "latin letters": ("caf\xe9", "café"),
    "empty": ("", ""),
}


@pytest.mark.parametrize(("value", "meant"), MIRRORED.values(), ids=MIRRORED)
def test_a_mirrored_header_is_decoded_or_stays_as_it_is(value: str, meant: str) -> None:
    facts = post(b"Mcp-Name: " + value.encode("latin-1"), b"Mcp-Method: tools/call")
    assert facts.mirrored_name == meant
    assert facts.mirrored_method == "tools/call"
    assert facts.is_mirrored


def test_a_repeated_mirrored_header_is_one_list_and_so_equals_no_name() -> None:
    assert post(b"Mcp-Name: a", b"Mcp-Name: b").mirrored_name == "a, b"


def test_one_mirrored_header_is_enough_to_compare() -> None:
    assert post(b"Mcp-Method: ping").is_mirrored
    assert post(b"Mcp-Name: a").is_mirrored
    assert not post(b"Mcp-Param-City: Berlin").is_mirrored


WELL_KNOWN = {
    b"/.well-known/oauth-protected-resource": "oauth",
    b"/.well-known/oauth-protected-resource/mcp": "oauth",
    b"/.well-known/oauth-authorization-server": "oauth",
    b"/.well-known/openid-configuration?x=1": "oauth",
    b"/issuer/.well-known/openid-configuration": "oauth",
    b"/.well-known/oauth-protected-resourceful": "http",
    b"/.well-known/mcp.json": "http",
    b"/mcp?path=/.well-known/oauth-protected-resource": "http",
    b"/": "http",
}


@pytest.mark.parametrize(("target", "kind"), WELL_KNOWN.items(), ids=str)
def test_oauth_metadata_is_told_by_its_path(target: bytes, kind: str) -> None:
    assert facts_of(b"GET", target).kind == kind


@pytest.mark.parametrize(
    "lines",
    [
        [b"Accept: text/event-stream"],
        [b"accept: Text/Event-Stream;q=0.5"],
        [b"ACCEPT: application/json, text/event-stream"],
        [b"Accept: application/json", b"Accept: text/event-stream"],
    ],
)
def test_a_get_for_an_event_stream_opens_a_stream(lines: list[bytes]) -> None:
    facts = facts_of(b"GET", b"/mcp", *lines)
    assert facts.opens_stream
    assert facts.kind == "stream"
    assert not post(*lines).opens_stream


def test_a_get_for_anything_else_is_plain_http() -> None:
    assert facts_of(b"GET", b"/mcp").kind == "http"
    assert facts_of(b"GET", b"/mcp", b"Accept: */*").kind == "http"
    assert facts_of(b"DELETE", b"/mcp", b"Accept: text/event-stream").kind == "http"


def test_names_of_headers_are_read_without_case() -> None:
    lower = post(
        b"content-type: application/json",
        b"mcp-session-id: s",
        b"mcp-protocol-version: 2025-11-25",
        b"authorization: Bearer t",
        b"mcp-method: tools/call",
        b"mcp-name: add",
    )
    upper = post(
        b"CONTENT-TYPE: application/json",
        b"MCP-SESSION-ID: s",
        b"MCP-PROTOCOL-VERSION: 2025-11-25",
        b"AUTHORIZATION: Bearer t",
        b"MCP-METHOD: tools/call",
        b"MCP-NAME: add",
    )
    assert lower == upper
    assert lower.session == session_hash("s")
    assert lower.has_credential
    assert lower.revision == "2025-11-25"


@pytest.mark.parametrize("revision", [b"", b"2025-11", b"DRAFT-2026", b"2025-11-25, 2026-07-28"])
def test_a_revision_that_is_no_date_is_absent(revision: bytes) -> None:
    assert post(b"MCP-Protocol-Version: " + revision).revision is None


def test_a_session_is_named_by_its_hash_on_both_sides() -> None:
    assert post(b"Mcp-Session-Id: s").session == session_hash("s")
    assert answer_facts_of(200, b"Mcp-Session-Id: s").session == session_hash("s")
    assert post(b"Mcp-Session-Id:").session is None
    assert post().session is None


def test_the_path_is_kept_without_its_query_and_bounded() -> None:
    assert post(target=b"/mcp?api_key=secret").path == "/mcp"
    assert len(post(target=b"/" + b"x" * 5000).path) == 256
    assert facts_of(b"OPTIONS", b"*").path == "*"


@pytest.mark.parametrize(
    ("target", "is_sse_post"),
    [
        (b"/messages/?session_id=1", True),
        (b"/message?sessionId=1", True),
        (b"/message?a=b&sessionId=1", True),
        (b"/message?xsessionId=1", False),
        (b"/message/sessionId=1", False),
        (b"/mcp", False),
    ],
)
def test_a_post_of_the_old_transport_names_its_session_in_the_query(
    target: bytes, is_sse_post: bool
) -> None:
    assert post(target=target).is_sse_post == is_sse_post
    assert not facts_of(b"GET", target).is_sse_post


SECRETS = (
    b"Authorization: Bearer canary",
    b"Cookie: canary",
    b"Mcp-Session-Id: canary",
    b"Mcp-Param-City: canary",
    b"X-Anything: canary",
    b"Last-Event-ID: canary",
    b"MCP-Protocol-Version: canary",
    b"traceparent: canary",
)


def test_facts_hold_no_header_value_but_the_two_mirrored_names() -> None:
    facts = facts_of(b"POST", b"/mcp?q=canary", *SECRETS)
    assert b"canary" not in msgspec.json.encode(facts)


def test_facts_travel_to_another_process_and_back() -> None:
    facts = request_facts(
        read(b"POST /mcp HTTP/1.1\r\nHost: a\r\nMcp-Name: a\r\nMcp-Session-Id: s\r\n\r\n"), NAMES
    )
    answer = answer_facts_of(401, b"Content-Type: application/json", b"Content-Encoding: br")
    encode = msgspec.msgpack.encode
    assert msgspec.msgpack.decode(encode(facts), type=RequestFacts) == facts
    assert msgspec.msgpack.decode(encode(answer), type=AnswerFacts) == answer
