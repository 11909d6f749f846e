"""pipeline/cors: what a browser is told, for each question that it may have."""

import pytest
from tests.protocol.http1.building import get, read, read_response

from mcpr.pipeline.cors import ANSWER_FIELDS, REQUEST_FIELDS, Cors, is_of_cors

APP = b"https://app.example"
SOME = Cors(frozenset({APP, b"http://localhost:5173"}))
ANY = Cors(frozenset({b"*"}))
COOKIES = Cors(frozenset({APP}), credentials=True)


def told(rules: Cors, *lines: bytes) -> dict[str, str]:
    """What an answer says, by lower-case name; no field is said twice."""
    return _fields(rules.answer_lines(read(get(b"/mcp", *lines))))


def asked(rules: Cors, *lines: bytes, method: bytes = b"OPTIONS") -> dict[str, str] | None:
    """What a question is answered with; None if it is none."""
    found = rules.preflight_lines(read(get(b"/mcp", *lines, method=method)))
    return None if found is None else _fields(found)


def _fields(lines: list[bytes]) -> dict[str, str]:
    pairs = [line.decode().split(": ", 1) for line in lines]
    fields = {name.lower(): value for name, value in pairs}
    assert len(fields) == len(pairs)
    return fields


WANTS = b"Access-Control-Request-Method: POST"


def test_a_page_may_read_the_session_and_the_challenge_and_what_we_say_ourselves() -> None:
    fields = told(SOME, b"Origin: " + APP)
    assert fields.pop("access-control-allow-origin") == APP.decode()
    exposed = fields.pop("access-control-expose-headers").split(", ")
    assert {"Mcp-Session-Id", "MCP-Protocol-Version", "WWW-Authenticate"} <= set(exposed)
    assert {"Mcpr-Error", "Retry-After", "Last-Event-ID"} <= set(exposed)
    assert fields == {}


def test_an_origin_is_echoed_as_it_came_and_never_widened() -> None:
    assert told(SOME, b"Origin: HTTPS://App.Example")["access-control-allow-origin"] == (
        "HTTPS://App.Example"
    )
    assert told(ANY, b"Origin: " + APP)["access-control-allow-origin"] == "*"
    assert told(ANY, b"Origin: null")["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (b"Origin: https://app.example.evil.test",),
        (b"Origin: https://evil.test/https://app.example",),
        (b"Origin: http://app.example",),
        (b"Origin: https://app.example:444",),
        (b"Origin: https://app.example:443",),
        (b"Origin: null",),
        (b"Origin:",),
        (b"Origin: *",),
        (b"Origin: " + APP, b"Origin: " + APP),
        (b"Origin: https://app.example, https://evil.test",),
    ],
    ids=str,
)
def test_whoever_is_not_named_is_told_nothing(lines: tuple[bytes, ...]) -> None:
    assert told(SOME, *lines) == {}


def test_cookies_are_allowed_only_where_the_operator_said_so_and_never_to_any() -> None:
    name = "access-control-allow-credentials"
    assert told(COOKIES, b"Origin: " + APP)[name] == "true"
    assert name not in told(SOME, b"Origin: " + APP)
    assert name not in told(ANY, b"Origin: " + APP)


@pytest.mark.parametrize(
    ("method", "lines"),
    [
        (b"OPTIONS", (b"Origin: " + APP,)),
        (b"OPTIONS", (WANTS,)),
        (b"OPTIONS", (b"Origin: " + APP, b"Origin: " + APP, WANTS)),
        (b"GET", (b"Origin: " + APP, WANTS)),
        (b"POST", (b"Origin: " + APP, WANTS, b"Content-Length: 0")),
    ],
)
def test_only_options_with_an_origin_and_a_method_is_a_question(
    method: bytes, lines: tuple[bytes, ...]
) -> None:
    assert asked(SOME, *lines, method=method) is None


def test_a_question_is_answered_with_what_mcp_needs() -> None:
    names = ", ".join(sorted(name.decode() for name in REQUEST_FIELDS))
    fields = asked(
        SOME,
        b"Origin: " + APP,
        WANTS,
        b"Access-Control-Request-Headers: "
        + names.encode()
        + b",mcp-param-City,x-evil,authorization",
    )
    assert fields == {
        "access-control-allow-origin": APP.decode(),
        "access-control-allow-methods": "GET, POST, DELETE, OPTIONS",
        "access-control-allow-headers": f"{names}, mcp-param-city",
        "access-control-max-age": "7200",
        "vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }


def test_what_a_page_asks_for_is_repeated_only_if_it_is_a_name() -> None:
    hostile = (
        b"Access-Control-Request-Headers: mcp-param-a b, mcp-param-\xe9, mcp-param-" + b"x" * 200
    )
    fields = asked(ANY, b"Origin: " + APP, WANTS, hostile)
    assert fields is not None
    assert "access-control-allow-headers" not in fields


def test_more_names_can_be_allowed_both_ways() -> None:
    rules = Cors(
        frozenset({APP}),
        max_age_seconds=5,
        request_fields=frozenset({b"x-api-key"}),
        answer_fields=("X-Request-Id",),
    )
    fields = asked(rules, b"Origin: " + APP, WANTS, b"Access-Control-Request-Headers: X-Api-Key")
    assert fields is not None
    assert fields["access-control-allow-headers"] == "x-api-key"
    assert fields["access-control-max-age"] == "5"
    exposed = told(rules, b"Origin: " + APP)["access-control-expose-headers"]
    assert exposed == ", ".join((*ANSWER_FIELDS, "X-Request-Id"))


def test_a_public_page_that_asks_for_a_private_network_is_answered() -> None:
    wants = b"Access-Control-Request-Private-Network: true"
    fields = asked(SOME, b"Origin: " + APP, WANTS, wants)
    assert fields is not None
    assert fields["access-control-allow-private-network"] == "true"


def test_whoever_is_not_named_has_a_question_without_an_answer() -> None:
    assert asked(SOME, b"Origin: https://evil.test", WANTS) == {}


@pytest.mark.parametrize(
    ("rules", "lines", "line"),
    [
        (SOME, (), b"Vary: Origin\r\n"),
        (SOME, (b"Vary: Accept",), b"Vary: Origin\r\n"),
        (SOME, (b"Vary: accept, ORIGIN",), b""),
        (SOME, (b"Vary: Accept", b"Vary: Origin"), b""),
        (SOME, (b"Vary: *",), b""),
        (ANY, (), b""),
    ],
)
def test_caches_are_told_once_that_answers_differ(
    rules: Cors, lines: tuple[bytes, ...], line: bytes
) -> None:
    head = b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"Content-Length: 0", b"", b""])
    assert rules.vary(read_response(head)) == line


def test_fields_of_this_kind_are_told_by_their_beginning() -> None:
    assert is_of_cors(b"access-control-allow-origin")
    assert is_of_cors(b"access-control-anything-new")
    assert not is_of_cors(b"origin")
