"""What a page is: a name, a question or several, and a template that shows the answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcpr.console.asking import Ask
from mcpr.store import EventStore


@dataclass(frozen=True, slots=True)
class SinkState:
    """What became of the events that a sink was given. trouble: why it takes none at present."""

    name: str
    published: int
    written: int
    rejected: int
    dropped: int
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the program that shows the pages knows of itself.

    config: its settings as text, without secrets. sinks: its books. reasons: why it is not ready.
    """

    config: Callable[[], str] = str
    sinks: Callable[[], Sequence[SinkState]] = tuple
    reasons: Callable[[], Sequence[str]] = tuple


@dataclass(frozen=True, slots=True)
class Page:
    """One page. name: its path and its template; key: what follows `g` on the keyboard.

    since: how far it looks back unless told; None: it has no window. filters: parameters that its
    visitor may set, besides window and server. view: what the template shows.
    in_tabs: whether the navigation has it.
    """

    name: str
    title: str
    key: str
    view: Callable[[EventStore, Ask, Surroundings], Mapping[str, Any]]
    since: str | None = "24h"
    filters: tuple[str, ...] = ()
    in_tabs: bool = True
    #: The page that is marked in the navigation.
    under: str = ""

    @property
    def path(self) -> str:
        """Where it is."""
        return "/" if self.name == "overview" else f"/{self.name}"

    @property
    def template(self) -> str:
        """Its template's file."""
        return f"{self.name}.html"


#: What every link from page to page keeps.
KEPT = ("since", "until", "server")
