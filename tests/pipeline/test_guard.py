"""Host and Origin are checked against the names that are answered to."""

import pytest
from tests.protocol.http1.building import read

from mcpr.pipeline.guard import Guard

LOOPBACK = Guard(frozenset(), loopback=True)
PUBLIC = Guard(frozenset({"mcp.example.org", "10.0.0.7"}), loopback=False)
BOTH = Guard(frozenset({"mcp.example.org"}), loopback=True)
ANY = Guard(frozenset({"*"}), loopback=False)
GUARDS = {"loopback": LOOPBACK, "public": PUBLIC, "both": BOTH, "any": ANY}


def objection(guard: Guard, host: str, *origins: str) -> str | None:
    lines = [f"Host: {host}", *(f"Origin: {origin}" for origin in origins)]
    return guard.objection(
        read(b"POST /mcp HTTP/1.1\r\n" + "\r\n".join([*lines, "", ""]).encode("latin-1"))
    )


LOOPBACK_HOSTS = [
    "localhost",
    "LOCALHOST:3000",
    "localhost:1",
    "localhost:65535",
    "localhost:",
    "127.0.0.1",
    "127.0.0.1:3000",
    "127.0.0.2",
    "127.255.255.254:80",
    "[::1]",
    "[::1]:3000",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]:3000",
    "[::FFFF:7F00:1]",
]
FOREIGN_HOSTS = [
    "example.org",
    "mcp.example.org.evil.test",
    "evil-mcp.example.org",
    "localhost.evil.test",
    "localhost.",
    "app.localhost",
    "127.0.0.1.evil.test",
    "127.0.0.1.",
    "127.1",
    "2130706433",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0.0.0.0",
    "0.0.0.0:3000",
    "128.0.0.1",
    "169.254.169.254",
    "[::]",
    "[::2]",
    "[fe80::1]",
    "[::ffff:10.0.0.1]",
    "[::127.0.0.1]",
    "local%68ost",
    "localhost,evil.test",
]


@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
def test_a_loopback_name_passes_with_any_port_where_loopback_is_served(host: str) -> None:
    assert objection(LOOPBACK, host) is None
    assert objection(BOTH, host) is None


@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
def test_a_loopback_name_is_refused_where_only_public_names_are_served(host: str) -> None:
    assert objection(PUBLIC, host) is not None


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
@pytest.mark.parametrize("guard", ["loopback", "public", "both"])
def test_a_foreign_host_is_refused(guard: str, host: str) -> None:
    assert objection(GUARDS[guard], host) == "the Host header names a host that is not served here"


@pytest.mark.parametrize("host", ["mcp.example.org", "MCP.Example.ORG:443", "mcp.example.org:1"])
def test_an_allowed_host_passes_in_any_case_and_with_any_port(host: str) -> None:
    assert objection(PUBLIC, host) is None
    assert objection(BOTH, host) is None
    assert objection(LOOPBACK, host) is not None


@pytest.mark.parametrize("host", ["[2001:db8::1]", "[2001:DB8:0:0::1]:443", "[2001:0db8::1]"])
def test_an_allowed_ipv6_address_passes_however_it_is_written(host: str) -> None:
    guard = Guard(frozenset({"[2001:db8::1]"}), loopback=False)
    assert objection(guard, host) is None
    assert objection(guard, host.replace("1]", "2]")) is not None
    assert objection(guard, "[1:2]") is not None


LOOPBACK_ORIGINS = [
    "http://localhost",
    "http://localhost:6274",
    "HTTPS://LocalHost:1",
    "http://127.0.0.1:8080",
    "http://127.0.0.2",
    "http://[::1]:3000",
    "http://[::ffff:127.0.0.1]",
    "vscode-webview://localhost",
]
FOREIGN_ORIGINS = [
    "null",
    "NULL",
    "",
    "http://evil.test",
    "https://evil.test:443",
    "http://localhost.evil.test",
    "http://localhost@evil.test",
    "http://evil.test@localhost",
    "http://localhost:80@evil.test",
    "http://user:localhost@evil.test",
    "http://localhost:80#@evil.test",
    "http://localhost/",
    "http://localhost/evil",
    "http://localhost?x",
    "http://localhost#x",
    "http://localhost:x",
    "http://localhost:80:80",
    "http://localhost http://evil.test",
    "http://localhost, http://evil.test",
    "http://",
    "http://:3000",
    "//localhost",
    "localhost",
    "localhost:3000",
    "http:localhost",
    "http://localhost.",
    "http://::1",
    "http://[::1",
    "http://[::1]x",
    "http://[localhost]",
    "http://2130706433",
    "http://0.0.0.0",
    "http://[::ffff:10.0.0.1]",
    "file:///etc",
    "http://localh\xf6st",
    "chrome-extension://abcdef",
]


@pytest.mark.parametrize("origin", LOOPBACK_ORIGINS)
def test_a_page_of_this_machine_may_call_where_loopback_is_served(origin: str) -> None:
    assert objection(LOOPBACK, "localhost", origin) is None
    assert objection(PUBLIC, "mcp.example.org", origin) is not None


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
@pytest.mark.parametrize("guard", ["loopback", "both"])
def test_a_page_of_another_site_is_refused(guard: str, origin: str) -> None:
    objected = objection(GUARDS[guard], "localhost", origin)
    assert objected == "the Origin header names a site that may not call this server"


@pytest.mark.parametrize(
    "origin", ["https://mcp.example.org", "https://MCP.example.org:8443", "http://10.0.0.7"]
)
def test_a_page_of_an_allowed_name_may_call(origin: str) -> None:
    assert objection(PUBLIC, "mcp.example.org", origin) is None


def test_a_request_without_an_origin_comes_from_no_browser_and_passes() -> None:
    assert objection(LOOPBACK, "localhost") is None


def test_one_foreign_origin_among_several_is_enough_to_refuse() -> None:
    assert objection(LOOPBACK, "localhost", "http://localhost", "http://evil.test") is not None
    assert objection(LOOPBACK, "localhost", "http://localhost", "http://127.0.0.1") is None


@pytest.mark.parametrize("host", [*LOOPBACK_HOSTS, *FOREIGN_HOSTS])
def test_a_star_lets_every_host_pass(host: str) -> None:
    assert objection(ANY, host) is None


@pytest.mark.parametrize("origin", [*LOOPBACK_ORIGINS, *FOREIGN_ORIGINS])
def test_a_star_lets_every_origin_pass(origin: str) -> None:
    assert objection(ANY, "example.org", origin) is None


def test_a_request_of_http_1_0_without_a_host_comes_from_no_browser_and_passes() -> None:
    assert LOOPBACK.objection(read(b"GET / HTTP/1.0\r\n\r\n")) is None


def test_an_objection_repeats_nothing_of_what_was_sent() -> None:
    for refused in (objection(LOOPBACK, "evil.test"), objection(LOOPBACK, "localhost", "evil://x")):
        assert refused is not None
        assert "evil" not in refused
