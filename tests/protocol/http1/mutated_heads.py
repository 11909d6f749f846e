"""Makes heads that are nearly right: valid ones, with a few bytes or lines out of place.

Everything comes from the given source of chance, so a seed names its heads.
"""

from random import Random

METHODS = [b"GET", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"HEAD", b"PATCH"]
TARGETS = [
    b"/",
    b"/mcp",
    b"/mcp?x=1&y=%20",
    b"//x",
    b"/a/../b",
    b"/;p=1",
    b"/?http://b/",
    b"http://a/mcp?x=1",
    b"http://a",
    b"https://A?q",
    b"http://b/",
    b"*",
    b"a:443",
]
HOSTS = [b"a", b"a", b"a", b"A", b"a:80", b"[::1]:3000", b""]
REASONS = [b" OK", b" Not Found", b" ", b"", b" \xc3\xa4"]
STATUSES = [b"200", b"200", b"202", b"204", b"206", b"304", b"404", b"500", b"100", b"103", b"104"]
FIELDS = [
    b"Accept: application/json, text/event-stream",
    b"Content-Type: application/json",
    b"User-Agent: node",
    b"Mcp-Session-Id: 0198a2b4",
    b"Authorization: Bearer abc",
    b"Cookie: a=b; c=d",
    b"X-Empty:",
    b"X-Long: " + b"y" * 300,
    b"X-Latin: \xe4\xf6\xfc",
    b"Connection: keep-alive",
    b"Connection: close",
    b"Connection: x-empty, close",
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Keep-Alive: timeout=5",
    b"TE: trailers",
    b"Trailer: X",
    b"Expect: 100-continue",
    b"X-Forwarded-For: 1.2.3.4",
    b"Date: Sun, 22 Nov 2026 18:00:00 GMT",
]
LENGTHS = [b"0", b"1", b"3", b"64", b"007", b"100000", b"3 ", b"+3", b"3, 3", b"0x3", b""]
CODINGS = [b"chunked", b"chunked", b"Chunked", b"chunked ", b"gzip, chunked", b"chunked, chunked"]
SPLINTERS = [
    *(b"\r\n", b"\r", b"\n", b"\r\n ", b"\n\t", b"\r\r\n", b"\0", b"\x0b", b"\x7f", b"\x80"),
    *(
        b"\xff",
        b"\xc2\xa0",
        b"\xef\xbb\xbf",
        b" ",
        b"\t",
        b":",
        b",",
        b";",
        b"#",
        b"?",
        b"/",
        b"\\",
    ),
    *(b'"', b"+", b"-", b"_", b"0", b"1", b"x", b" HTTP/1.1", b"HTTP/2.0", b"chunked", b"close"),
    *(b"\r\nContent-Length: 5", b"\nTransfer-Encoding: chunked", b"\r\nHost: b", b"http://a/"),
    b"\r\n\r\n",
]


def a_request(chance: Random) -> bytes:
    """A whole head of a request; one in ten is left as valid as it was made."""
    start = b"%b %b HTTP/1.%d" % (
        chance.choice(METHODS),
        chance.choice(TARGETS) if chance.random() < 0.2 else b"/mcp",
        chance.random() < 0.9,
    )
    lines = _fields(chance)
    lines.insert(chance.randint(0, len(lines)), b"Host: " + chance.choice(HOSTS))
    return _mutated([start, *lines], chance)


def a_response(chance: Random) -> bytes:
    """A whole head of an answer; one in ten is left as it was made."""
    start = b"HTTP/1.%d %b%b" % (
        chance.random() < 0.9,
        chance.choice(STATUSES),
        chance.choice(REASONS),
    )
    return _mutated([start, *_fields(chance)], chance)


def _fields(chance: Random) -> list[bytes]:
    if chance.random() < 0.05:
        return [b"Transfer-Encoding:\t chunked", b"content-LENGTH:3"][: chance.randint(1, 2)]
    lines = chance.choices(FIELDS, k=chance.randint(0, 6))
    framing = chance.random()
    if framing < 0.35:
        lines.append(b"Content-Length: " + chance.choice(LENGTHS))
    elif framing < 0.7:
        lines.append(b"Transfer-Encoding: " + chance.choice(CODINGS))
    chance.shuffle(lines)
    return lines


def _mutated(lines: list[bytes], chance: Random) -> bytes:
    times = chance.choice((0, 1, 1, 1, 1, 1, 1, 2, 2, 3))
    for _ in range(times):
        if chance.random() < 0.3:
            _mutate_lines(lines, chance)
    data = bytearray(b"\r\n".join(lines) + b"\r\n\r\n")
    for _ in range(times):
        _mutate_bytes(data, chance)
    return bytes(data)


def _mutate_lines(lines: list[bytes], chance: Random) -> None:
    at = chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            lines.insert(at + 1, lines[at])
        case 1:
            lines.append(lines.pop(at))
        case 2:
            lines[at] = lines[at].swapcase()
        case _:
            lines.insert(at + 1, chance.choice(_fields(chance) or [b"X: y"]))


def _mutate_bytes(data: bytearray, chance: Random) -> None:
    at = chance.randrange(len(data))
    match chance.randrange(5):
        case 0:
            data[at:at] = chance.choice(SPLINTERS)
        case 1:
            del data[at : at + chance.randint(1, 3)]
        case 2:
            data[at] = chance.randrange(256)
        case 3:
            data[at : at + 1] = chance.choice(SPLINTERS)
        case _:
            end = at + chance.randint(1, 20)
            data[at:at] = data[at:end]
