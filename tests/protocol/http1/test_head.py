"""Message heads: what is read, what is passed on, and where they end."""

import pytest
from tests.protocol.http1.building import CL3, TE, get, post, read, read_response

from mcpr.protocol.http1 import BadHead, Role, find_end

# What is read


@pytest.mark.parametrize(
    ("target", "read_as"),
    [
        (b"/", b"/"),
        (b"/mcp?x=1&y=%20", b"/mcp?x=1&y=%20"),
        (b"//b/c", b"//b/c"),
        (b"/?http://b/", b"/?http://b/"),
        (b"/a/../b", b"/a/../b"),
        (b"http://a/mcp?x=1", b"/mcp?x=1"),
        (b"HTTP://A", b"/"),
        (b"https://a?x=1", b"/?x=1"),
    ],
    ids=repr,
)
def test_a_target_is_read_in_origin_form(target: bytes, read_as: bytes) -> None:
    """Nothing of it is normalised: the server decides what its paths mean."""
    assert read(get(target)).target == read_as


@pytest.mark.parametrize("target", [b"*", b"http://a"], ids=repr)
def test_options_may_be_about_the_server_as_a_whole(target: bytes) -> None:
    """RFC 9112 section 3.2.4: the last proxy turns the empty path of OPTIONS into an asterisk."""
    assert read(get(target, method=b"OPTIONS")).target == b"*"


@pytest.mark.parametrize(
    ("host", "authority"),
    [
        (b"Host: a", b"a"),
        (b"hOST:EXAMPLE.com:8080", b"example.com:8080"),
        (b"Host: \t [::1]:3000 \t", b"[::1]:3000"),
        (b"Host: a:", b"a:"),
        (b"Host:", b""),
    ],
    ids=repr,
)
def test_the_authority_is_host_in_lower_case(host: bytes, authority: bytes) -> None:
    assert read(post(host=host)).authority == authority


def test_http_1_0_needs_no_host() -> None:
    assert read(b"GET / HTTP/1.0\r\n\r\n").authority == b""


@pytest.mark.parametrize(
    ("version", "lines", "keep_alive"),
    [
        (b"1.1", [], True),
        (b"1.1", [b"Connection: close"], False),
        (b"1.1", [b"Connection: Keep-Alive"], True),
        (b"1.1", [b"Connection: x, CLOSE ,y"], False),
        (b"1.1", [b"Connection: keep-alive", b"Connection: close"], False),
        (b"1.1", [b"Connection: closed"], True),
        (b"1.0", [], False),
        (b"1.0", [b"Connection: keep-alive"], True),
        (b"1.0", [b"Connection: x, keep-alive"], True),
        (b"1.0", [b"Connection: keep-alive, close"], False),
    ],
    ids=repr,
)
def test_a_connection_is_kept_as_version_and_options_say(
    version: bytes, lines: list[bytes], keep_alive: bool
) -> None:
    assert read(post(*lines, version=version)).keep_alive is keep_alive


@pytest.mark.parametrize(
    ("lines", "length", "chunked", "has_body"),
    [
        ([], None, False, False),
        ([CL3], 3, False, True),
        ([b"Content-Length: 0"], 0, False, False),
        ([b"Content-Length: 003"], 3, False, True),
        ([b"CONTENT-LENGTH:\t3\t"], 3, False, True),
        ([b"Content-Length: " + b"9" * 15], 10**15 - 1, False, True),
        ([TE], None, True, True),
        ([b"transfer-encoding:  CHUNKED "], None, True, True),
    ],
    ids=repr,
)
def test_the_body_is_framed_as_the_head_says(
    lines: list[bytes], length: int | None, chunked: bool, has_body: bool
) -> None:
    head = read(post(*lines))
    assert (head.content_length, head.chunked, head.has_body) == (length, chunked, has_body)


@pytest.mark.parametrize(
    ("version", "expects"), [(b"1.1", True), (b"1.0", False)], ids=["1.1", "1.0"]
)
def test_100_continue_is_expected_only_from_http_1_1_on(version: bytes, expects: bool) -> None:
    """RFC 9110 section 10.1.1: in HTTP/1.0 the expectation is ignored."""
    head = read(post(CL3, b"Expect: 100-Continue", version=version))
    assert head.expects_continue is expects


@pytest.mark.parametrize(
    ("status", "method", "is_bodiless"),
    [
        (200, b"GET", False),
        (200, b"HEAD", True),
        (404, b"HEAD", True),
        (100, b"POST", True),
        (103, b"POST", True),
        (199, b"POST", True),
        (204, b"POST", True),
        (205, b"POST", False),
        (304, b"GET", True),
    ],
)
def test_some_answers_have_no_body_whatever_their_fields_say(
    status: int, method: bytes, is_bodiless: bool
) -> None:
    length = b"" if status < 200 else b"Content-Length: 5\r\n"
    head = read_response(b"HTTP/1.1 %d X\r\n%b\r\n" % (status, length))
    assert head.is_bodiless(method) is is_bodiless


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK", b"HTTP/1.1 200 ", b"HTTP/1.1 200", "HTTP/1.0 599 Tät".encode()]
)
def test_a_status_line_is_kept_as_it_came(start: bytes) -> None:
    head = read_response(start + b"\r\n\r\n")
    assert head.start == start + b"\r\n"
    assert head.status == int(start[9:12])
    assert head.http10 is (start[7:8] == b"0")


# What goes on


def test_order_and_repetition_of_fields_are_kept() -> None:
    lines = [b"B: 1", b"a: 2", b"B: 3", b"x-Y:", b"b:\t4 ", b"A:5"]
    head = read(post(*lines))
    assert head.end_to_end() == [line + b"\r\n" for line in lines]
    assert head.values(b"b") == [b"1", b"3", b"4"]
    assert head.value(b"a") == b"2"
    assert head.value(b"c") is None


def test_a_value_is_kept_byte_for_byte() -> None:
    """obs-text is any byte above 0x7F; inner blanks stay, outer ones are not the value's."""
    value = bytes([0x21, *range(0x20, 0x7F), 0x09, *range(0x80, 0x100)])
    head = read(post(b"X: \t" + value + b" \t"))
    assert head.value(b"x") == value
    assert head.end_to_end() == [b"X: \t" + value + b" \t\r\n"]


HOP_BY_HOP = [
    b"Connection: close",
    b"Keep-Alive: timeout=5",
    b"Proxy-Connection: keep-alive",
    b"Proxy-Authenticate: Basic",
    b"Proxy-Authorization: Basic eA==",
    b"TE: trailers",
    b"Upgrade: websocket",
]
OURS_TO_WRITE = [
    b"Forwarded: for=1",
    b"X-Forwarded-For: 1",
    b"X-Forwarded-Host: a",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Port: 1",
    b"X-Real-IP: 1",
    CL3,
]


@pytest.mark.parametrize("line", HOP_BY_HOP + OURS_TO_WRITE, ids=repr)
def test_fields_that_are_about_one_hop_end_here(line: bytes) -> None:
    assert read(post(b"X: a", line, b"Y: b")).end_to_end() == [b"X: a\r\n", b"Y: b\r\n"]


@pytest.mark.parametrize("name", [b"Trailer", b"Via", b"Date", b"Origin", b"MCP-Session-Id"])
def test_all_others_go_on(name: bytes) -> None:
    assert read(post(name + b": a")).end_to_end() == [name + b": a\r\n"]


def test_fields_that_connection_names_end_here() -> None:
    head = read(post(b"X-Foo: 1", b"Connection: x-foo, HTTP2-Settings", b"X-Bar: 2", b"x-FOO: 3"))
    assert head.end_to_end() == [b"X-Bar: 2\r\n"]
    assert head.dropped == {b"x-foo", b"http2-settings"}


def test_an_offer_to_upgrade_is_not_taken_up() -> None:
    """We chose it: the request is handled as the HTTP/1.1 request that it also is."""
    head = read(get(b"/", b"Connection: Upgrade", b"Upgrade: h2c", b"X: a"))
    assert head.end_to_end() == [b"X: a\r\n"]
    assert head.keep_alive


def test_every_field_knows_its_role() -> None:
    head = read(post(CL3, b"Accept: */*", b"Expect: 100-continue"))
    roles = [field.role for field in head.fields]
    assert roles == [Role.HOST, Role.CONTENT_LENGTH, Role.END_TO_END, Role.EXPECT]


def test_heads_name_themselves_without_their_fields() -> None:
    assert repr(read(post(b"Authorization: secret"))) == "<RequestHead POST>"
    assert repr(read_response(b"HTTP/1.1 200 OK\r\nX: a\r\n\r\n")) == "<ResponseHead 200>"


# Where a head ends


def test_a_head_ends_after_its_blank_line_and_not_before() -> None:
    data = post(b"X: a")
    for cut in range(len(data)):
        assert find_end(data[:cut], limit=1000) == -1
        assert find_end(data[:cut], limit=1000, seen=max(cut - 1, 0)) == -1
    assert find_end(data + b"\n\n\r\n\r\n", limit=1000) == len(data)


def test_the_blank_line_is_found_wherever_the_pieces_were_cut() -> None:
    data = post(b"X: a")
    for seen in range(len(data)):
        assert find_end(data, limit=1000, seen=seen) == len(data)


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (b"\n", 0),
        (b"GET / HTTP/1.1\n", 0),
        (b"GET / HTTP/1.1\nHost: a\n\n", 0),
        (b"GET / HTTP/1.1\r\nHost: a\n", 0),
        (b"GET / HTTP/1.1\r\nHost: a\n", 23),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\n", 25),
    ],
    ids=repr,
)
def test_a_bare_lf_is_refused_at_once_and_not_waited_upon(data: bytes, seen: int) -> None:
    with pytest.raises(BadHead, match="LF without CR"):
        find_end(data, limit=1000, seen=seen)


def test_a_cr_may_still_become_an_end_of_line() -> None:
    assert find_end(b"GET / HTTP/1.1\r", limit=1000) == -1
    assert find_end(b"GET / HTTP/1.1\r\n", limit=1000, seen=15) == -1


@pytest.mark.parametrize("data", [b"a" * 101, b"a" * 97 + b"\r\n\r\n"], ids=["no end", "an end"])
def test_a_head_larger_than_the_limit_is_refused_as_soon_as_that_is_known(data: bytes) -> None:
    assert find_end(data[-100:], limit=100) in {-1, 100}
    with pytest.raises(BadHead) as caught:
        find_end(data, limit=100)
    assert caught.value.status == 431
