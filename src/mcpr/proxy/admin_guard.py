"""Who gets the admin pages: by the name they are called by, by the site that asks, by a token.

A page of another site must not read them through a browser of this machine, whatever name it made
point here; whoever is on the network must know the token, if other machines can reach the address.
"""

import hashlib
import hmac
import ipaddress
import time
from collections.abc import Collection, Iterable

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mcpr.proxy import admin_login

LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "[::1]"))
ANY = "*"
_OPEN_PATHS = frozenset(("/live", "/ready", admin_login.PATH))
#: Styles and scripts, which are in every copy of mcpr.
_OPEN_FOLDER = "/static/"
_Headers = Iterable[tuple[bytes, bytes]]


class Access:
    """Who may see what.

    token_hash: SHA-256 of the token; empty: none is needed. names: host names by which the pages
    may be called beside the loopback ones, `*` for any. is_open: other machines reach the address;
    then addresses are names, too: nobody can make one point somewhere else.
    """

    def __init__(
        self, token_hash: bytes = b"", names: Collection[str] = (), *, is_open: bool = False
    ) -> None:
        self._token_hash = token_hash
        self._names = frozenset(name.lower() for name in names)
        self._is_open = is_open

    def __repr__(self) -> str:
        return f"<Access {'with' if self._token_hash else 'without'} a token>"

    @property
    def login(self) -> admin_login.Login | None:
        """The page that asks for the token; None where there is none."""
        return admin_login.Login(self._token_hash) if self._token_hash else None

    def is_ours(self, host: str) -> bool:
        """Whether a Host header names this machine, with any port or none."""
        name, colon, port = host.rpartition(":")
        if not colon or host.endswith("]"):
            name, port = host, ""
        elif not (port.isascii() and port.isdigit()):
            return False
        name = name.lower()
        if name in LOOPBACK_NAMES or name in self._names:
            return True
        return self._is_open and (_is_address(name) or (ANY in self._names and bool(name)))

    def objection(self, headers: _Headers) -> str | None:
        """Why a request with these headers gets nothing at all; None if it may."""
        hosts = _values(headers, b"host")
        if len(hosts) != 1 or not self.is_ours(hosts[0]):
            names = "localhost, 127.0.0.1 and [::1]" if not self._is_open else "its own names"
            return f"This address answers to {names} only."
        for origin in _values(headers, b"origin"):
            _, mark, host = origin.partition("://")
            if not mark or not self.is_ours(host):
                return "This address does not answer to pages of other sites."
        return None

    def is_known(self, path: str, headers: _Headers) -> bool:
        """Whether a request for this path may be answered: it is open, or the token is right."""
        if not self._token_hash or path in _OPEN_PATHS or path.startswith(_OPEN_FOLDER):
            return True
        if admin_login.has_ticket(self._token_hash, headers, time.time()):
            return True
        said = _values(headers, b"authorization")
        kind, _, token = (said[0] if len(said) == 1 else "").partition(" ")
        given = hashlib.sha256(token.strip().encode("latin-1")).digest()
        return hmac.compare_digest(given, self._token_hash) and kind.lower() == "bearer"


class AdminGuard:
    """Answers 403 and 401 where `access` says so, and hands on the rest."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] == "http":
            objection = self._access.objection(scope["headers"])
            if objection is not None:
                await PlainTextResponse(f"{objection}\n", 403)(scope, receive, send)
                return
            if not self._access.is_known(scope["path"], scope["headers"]):
                if _is_browser(scope):
                    away = admin_login.way(scope["path"], scope["query_string"])
                    await away(scope, receive, send)
                    return
                answer = PlainTextResponse(
                    "This page needs the token of [admin] token, as `Authorization: Bearer …`.\n",
                    401,
                    {"www-authenticate": 'Bearer realm="mcpr"'},
                )
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_browser(scope: Scope) -> bool:
    """Whether a person wants to see a page."""
    accepts = ",".join(_values(scope["headers"], b"accept"))
    is_page = not scope["path"].startswith(("/api/", "/metrics", "/config"))
    return scope["method"] == "GET" and is_page and "text/html" in accepts


def _values(headers: _Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1") for found, value in headers if found == name]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
