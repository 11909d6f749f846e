"""The way in for browsers where a token is set: it is asked for once, and a cookie stands for it.

The cookie is an expiry and its keyed hash, so nothing is kept here, a new token ends all of them,
and who reads one does not know the token. Programs send the token itself, as a Bearer.
"""

import hashlib
import hmac
import time
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

PATH = "/login"
KEPT_SECONDS = 7 * 86_400
_MOST_BODY = 4_096
#: A form's POST has an Origin only where the page may say where it comes from.
_HEADERS = {"referrer-policy": "same-origin", "cache-control": "no-store"}


def ticket(token_hash: bytes, now_s: float) -> str:
    """What stands for the token until a week from now."""
    expiry = str(int(now_s) + KEPT_SECONDS)
    return f"{expiry}.{_sign(token_hash, expiry)}"


def is_good(token_hash: bytes, text: str, now_s: float) -> bool:
    """Whether it is a ticket of ours that has not expired."""
    expiry, _, sign = text.partition(".")
    if not (expiry.isascii() and expiry.isdigit() and len(expiry) < 13 and sign.isascii()):
        return False
    return hmac.compare_digest(sign, _sign(token_hash, expiry)) and int(expiry) > now_s


def cookie_name(host: str) -> str:
    """Cookies know no ports, and two proxies on one machine have two tokens."""
    port = host.rpartition(":")[2]
    return f"mcpr_login_{port}" if port.isascii() and port.isdigit() else "mcpr_login"


def has_ticket(token_hash: bytes, headers: Iterable[tuple[bytes, bytes]], now_s: float) -> bool:
    """Whether the cookies of a request have a good ticket."""
    told = {name: value.decode("latin-1") for name, value in headers}
    try:
        cookies = SimpleCookie(told.get(b"cookie", ""))
    except CookieError:
        return False
    found = cookies.get(cookie_name(told.get(b"host", "")))
    return found is not None and is_good(token_hash, found.value, now_s)


def way(path: str, query: bytes) -> Response:
    """Where a browser without a ticket goes."""
    back = path + (f"?{query.decode('latin-1')}" if query else "")
    return RedirectResponse(f"{PATH}?next={quote(back, safe='')}", 303, _HEADERS)


class Login:
    """The page that asks for the token. token_hash: its SHA-256."""

    def __init__(self, token_hash: bytes) -> None:
        self._token_hash = token_hash

    async def answer(self, request: Request) -> Response:
        """Show the page, or take what was typed."""
        back = _inside(request.query_params.get("next", "/"))
        if request.method != "POST":
            return _page(back, is_wrong=False)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _MOST_BODY:
                return _page(back, is_wrong=True)
        typed = parse_qs(body.decode("latin-1")).get("token", [""])[0].strip()
        given = hashlib.sha256(typed.encode()).digest()
        if not hmac.compare_digest(given, self._token_hash):
            return _page(back, is_wrong=True)
        answer = RedirectResponse(back, 303, _HEADERS)
        answer.set_cookie(
            cookie_name(request.headers.get("host", "")),
            ticket(self._token_hash, time.time()),
            max_age=KEPT_SECONDS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer


def _page(back: str, *, is_wrong: bool) -> Response:
    from mcpr.console.app import CSP, templates  # noqa: PLC0415 - most proxies have no token

    body = templates().get_template("login.html").render(back=back, is_wrong=is_wrong)
    headers = {**_HEADERS, "content-security-policy": CSP}
    return HTMLResponse(body, 401 if is_wrong else 200, headers)


def _inside(path: str) -> str:
    """A path of this address, whatever the URL says."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours else "/"


def _sign(token_hash: bytes, expiry: str) -> str:
    return hmac.new(token_hash, f"console {expiry}".encode(), "sha256").hexdigest()
