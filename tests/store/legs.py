"""Requests that are legs of operations, as events; times in ms after the first instant."""

from typing import Any

from tests.events.building import TS_MS, an_event

from mcpr.events import Detail, Link, RequestEvent, link_text


def at_ms(milliseconds: int) -> int:
    return TS_MS + milliseconds


def a_leg(
    link: Link, *, at: int, took: int = 10, upstream: int | None = None, **fields: Any
) -> RequestEvent:
    """A call of the stateless wire with this link."""
    said = {"session": None, "revision": "2025-11-25"}
    detail = Detail(client_name="me", link=link_text(link))
    return an_event(
        **(
            said
            | {
                "ts_ms": at_ms(at),
                "latency_us": took * 1000,
                "upstream_us": None if upstream is None else upstream * 1000,
                "detail": detail,
            }
            | fields
        )
    )


def asks(state: str, *, at: int, **fields: Any) -> RequestEvent:
    """A call whose answer asks for input."""
    return a_leg(Link(asks=state * 32), at=at, **fields)


def answers(state: str, *, at: int, **fields: Any) -> RequestEvent:
    """The same call again, with what it was asked for."""
    return a_leg(Link(answers=state * 32), at=at, **fields)


def polls(task: str, status: str, *, at: int, took: int = 10, **fields: Any) -> RequestEvent:
    """A question about a task, all of it answered by the server."""
    said = {"method": "tasks/get", "tool": None} | fields
    return a_leg(Link(task=task, status=status), at=at, took=took, upstream=took, **said)
