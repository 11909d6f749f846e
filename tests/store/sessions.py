"""Conversations with sessions, as events: one helper for each thing that can happen to one."""

from tests.events.building import TS_MS, an_event

from mcpr.events import Detail, Link, RequestEvent, link_text

MINUTE = 60_000
NOBODY = {"client": None, "client_version": None, "revision": None}


def at(minutes: float) -> int:
    """An instant: so many minutes after the first one."""
    return TS_MS + round(minutes * MINUTE)


def named(number: int) -> str:
    """The hash of a session."""
    return f"{number:032x}"


def opens(session: int = 1, minutes: float = 0, **fields: object) -> RequestEvent:
    """A 2xx answer to initialize that named the session."""
    link = Link(opens=True, server_name="Weather", server_version="3.0")
    said = {"method": "initialize", "tool": None, "session": named(session)}
    detail = Detail(client_name="claude-code", link=link_text(link))
    return an_event(**(said | {"ts_ms": at(minutes), "detail": detail} | fields))


def calls(session: int | None = 1, minutes: float = 0, **fields: object) -> RequestEvent:
    """A call in the session."""
    said = {"session": None if session is None else named(session), "detail": None}
    return an_event(**(said | {"ts_ms": at(minutes)} | fields))


def deletes(session: int = 1, minutes: float = 0, **fields: object) -> RequestEvent:
    """A DELETE to which the server agreed."""
    said = {"kind": "http", "method": None, "tool": None, "session": named(session)}
    detail = Detail(http_method="DELETE", link=link_text(Link(ends=True)))
    return an_event(**(said | {"ts_ms": at(minutes), "detail": detail} | fields))


def loses(session: int = 1, minutes: float = 0, **fields: object) -> RequestEvent:
    """A call that was answered 404: the server knows the session no longer."""
    failed = {"outcome": "http_error", "origin": "client", "http_status": 404}
    return calls(session, minutes, **(failed | fields))


def modern(minutes: float = 0, **fields: object) -> RequestEvent:
    """A call of the stateless wire."""
    return calls(None, minutes, **({"revision": "2026-07-28"} | fields))
