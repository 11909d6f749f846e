"""Cells that several tables have: a tool, an outcome, a health, each with its link and its tone."""

from typing import Protocol

from mcpr.console import words
from mcpr.console.asking import Ask
from mcpr.console.pages.page import KEPT
from mcpr.console.table import Cell
from mcpr.events import Outcome, is_error
from mcpr.store.questions import LogRow
from mcpr.store.questions.health import State

_MOST_TITLE = 512


def named(text: str | None, href: str | None = None, tone: str = "") -> Cell:
    """A recorded name; all of it, up to a bound, for those who point at it."""
    told = words.shown(text)
    title = words.shown(text, _MOST_TITLE) if text is not None and told != text else None
    return Cell(told, href if text is not None else None, tone, title)


def tool(ask: Ask, server: str, name: str | None) -> Cell:
    """A tool that leads to its own page."""
    return named(name, f"/tool{ask.query(KEPT, server=server, tool=name)}", "name")


def outcome(told: Outcome) -> Cell:
    """An outcome, red where it is an error."""
    return Cell(told, None, "bad" if is_error(told) else "good" if told == "ok" else "muted")


def health(state: State | None, reason: str | None) -> Cell:
    """A health in words; why, for those who point at it."""
    if state is None:
        return Cell(words.shown(None))
    return Cell(state, None, f"health {state}", reason)


def moment(ts_ms: int | None, now_ms: int) -> Cell:
    """How long ago; when exactly, for those who point at it."""
    if ts_ms is None:
        return Cell(words.shown(None))
    return Cell(words.ago(ts_ms, now_ms), title=f"{words.moment(ts_ms)} {words.zone(ts_ms)}")


class Caller(Protocol):
    """What a row says of who called."""

    @property
    def client(self) -> str | None:
        """A slug."""

    @property
    def client_version(self) -> str | None:
        """As it was sent."""

    @property
    def client_name(self) -> str | None:
        """How it called itself."""


def client(ask: Ask, row: Caller, path: str) -> Cell:
    """Who called: the name by which a client is known, else how it called itself."""
    slug = row.client if row.client not in {None, "other"} else row.client_name or row.client
    told = named(slug, f"{path}{ask.query(client=slug, before=None, page=None)}")
    if row.client_version is None or slug is None:
        return told
    return Cell(told.text, told.href, told.tone, f"version {words.shown(row.client_version)}")


def caller(ask: Ask, row: Caller, path: str) -> Cell:
    """The same with its version in sight."""
    told = client(ask, row, path)
    if row.client_version is None or told.href is None:
        return told
    return Cell(f"{told.text} {words.shown(row.client_version)}", told.href, told.tone)


def session(ask: Ask, hash_: str | None) -> Cell:
    """A session by the beginning of its hash; leads to its timeline."""
    if hash_ is None:
        return Cell(words.shown(None))
    href = f"/session{ask.query(KEPT, session=hash_[:12])}"
    return Cell(hash_[:8], href, "name", hash_)


def subject(ask: Ask, row: LogRow) -> Cell:
    """What was called or read: the tool, else the subject, else the path."""
    if row.tool not in {None, "_other"}:
        return tool(ask, row.server, row.tool)
    return named(row.subject or row.path)
