"""The MCP server: whether it can be reached, speaks TLS where it should, and what answers.

The question is a `ping` in a session that does not exist. A server with sessions answers that it
knows none such, one without answers the ping, and neither keeps anything: no session is begun.
(`initialize` would begin one, and some servers begin one for every request that names none.)
"""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator

from mcpr.cli import words
from mcpr.cli.checkup.finding import Finding, State
from mcpr.settings import UpstreamUrl

_SECONDS = 5.0
_MOST_BYTES = 65_536
_HEADERS = {
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
    "MCP-Protocol-Version": "2025-11-25",
    "Mcp-Session-Id": "mcpr-doctor-asks",
    "User-Agent": "mcpr-doctor",
    "Connection": "close",
}
_PING = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()


def upstream(url: UpstreamUrl) -> Iterator[Finding]:
    """All of it; what cannot be without the one before is left out."""
    began = time.monotonic()
    try:
        connection = socket.create_connection((url.host, url.port), _SECONDS)
    except OSError as error:
        yield _unreachable(url, error)
        return
    took = words.latency(round((time.monotonic() - began) * 1_000_000))
    yield Finding("server", "ok", f"{url.authority} accepts connections ({took})")
    if url.scheme == "https":
        try:
            connection = ssl.create_default_context().wrap_socket(
                connection, server_hostname=url.host
            )
        except OSError as error:
            connection.close()
            yield _no_tls(error)
            return
        yield Finding("TLS", "ok", f"{connection.version()}, the certificate is good")
    with connection:
        yield _what_answers(url, connection)


def _unreachable(url: UpstreamUrl, error: OSError) -> Finding:
    if isinstance(error, socket.gaierror):
        why, step = f"no machine is called {url.host}", "correct the name, or the resolver"
    elif isinstance(error, TimeoutError):
        why = f"{url.authority} does not answer within {_SECONDS:.0f} s"
        step = "is a firewall between? Is it the right address?"
    else:
        why = f"{url.authority}: {(error.strerror or str(error)).lower()}"
        step = "start the MCP server, or correct the URL"
    return Finding("server", "fail", why, step)


def _no_tls(error: OSError) -> Finding:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Finding(
            "TLS",
            "fail",
            f"the certificate is not good: {error.verify_message}",
            "for one of your own, SSL_CERT_FILE=ca.pem mcpr run …; else mend the certificate",
        )
    return Finding(
        "TLS", "fail", "it does not speak TLS there", "write http:// if it is meant in clear text"
    )


def _what_answers(url: UpstreamUrl, connection: socket.socket) -> Finding:
    asking = http.client.HTTPConnection(url.host, url.port, timeout=_SECONDS)
    asking.sock = connection
    try:
        asking.request("POST", url.path, _PING, _HEADERS | {"Host": url.authority})
        answer = asking.getresponse()
        kind = answer.headers.get_content_type()
        # An event stream may stay open: its first event is enough.
        body = (
            answer.read1(_MOST_BYTES) if kind == "text/event-stream" else answer.read(_MOST_BYTES)
        )
    except TimeoutError:
        why = f"it accepts, and answers nothing within {_SECONDS:.0f} s"
        return Finding("endpoint", "fail", why, "look at the server's log")
    except (http.client.HTTPException, OSError):
        step = "is that port another program's, or does it want https://?"
        return Finding("endpoint", "fail", "what answers does not speak HTTP", step)
    return _judged(url, answer, kind, body)


def _judged(url: UpstreamUrl, answer: http.client.HTTPResponse, kind: str, body: bytes) -> Finding:
    status, path, told = answer.status, url.path, body.lower()
    is_of_sessions = status in {400, 404} and b"session" in told
    leads_elsewhere = status in {301, 302, 307, 308}
    cases: tuple[tuple[bool, State, str, str], ...] = (
        (b'"jsonrpc"' in told, "ok", f"{path} is an MCP endpoint (it answers {status})", ""),
        (status == 401, "ok", f"{path} wants a client to sign in first (401)", ""),
        (is_of_sessions, "ok", f"{path} keeps sessions (it answers {status})", ""),
        (b"https port" in told, "fail", "it wants TLS there", "write https://"),
        (
            leads_elsewhere,
            "warn",
            f"{path} is elsewhere (it answers {status})",
            "name the address that it leads to; is it a / at the end?",
        ),
        (
            status == 404,
            "fail",
            f"there is nothing at {path} (404)",
            "give the endpoint's path; it often is /mcp",
        ),
        (
            status == 405,
            "warn",
            f"{path} takes no POST (405), as in the old HTTP+SSE transport",
            "give the path of Streamable HTTP, often /mcp",
        ),
        (
            True,
            "warn",
            f"{path} answers {status} with {kind}, which is not MCP",
            "is it the MCP server's URL? Its endpoint often is /mcp",
        ),
    )
    return next(
        Finding("endpoint", state, why, step) for applies, state, why, step in cases if applies
    )
