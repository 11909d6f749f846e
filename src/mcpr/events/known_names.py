"""Which tools a server has: what callers name may be any text, and labels must not be.

Whoever counts by tool (metrics, an upload) asks `tool` for the word to count under. The rule: a
tool only if its server listed it; while no list has been seen, a name that looks like one, and of
these a bounded number; else `_other`.
"""

from collections.abc import Iterable

from mcpr.protocol.mcp import OTHER, bounded_tool

#: A list may be longer; its other tools are counted together.
MAX_TOOLS = 10_000
#: Without a list, callers choose the names: so many of them at most.
MAX_UNLISTED = 200


class KnownNames:
    """The tools of each server, learned from its lists.

    generation: grows when an answer of `tool` may have become another one.

    May be asked in any thread and taught in one. What is noted in two threads at the same moment
    may be noted once: then it is noted again the next time.
    """

    def __init__(self) -> None:
        # Replaced, never changed: whoever asks needs no lock.
        self._listed: dict[str, frozenset[str]] = {}
        self._unlisted: dict[str, frozenset[str]] = {}
        self.generation = 0

    def learn(self, server: str, names: Iterable[str]) -> None:
        """These tools stand in a list of the server. Names of earlier lists stay known.

        Earlier ones: another client may be shown another list, and calls of yesterday are asked
        about today.
        """
        known = self._listed.get(server, frozenset())
        fresh = [name for name in names if name not in known and bounded_tool(name) == name]
        if not fresh and server in self._listed:
            return
        room = max(0, MAX_TOOLS - len(known))
        self._listed = {**self._listed, server: known.union(fresh[:room])}
        self._unlisted.pop(server, None)
        self.generation += 1

    def has_list(self, server: str) -> bool:
        """Whether a list of that server has been seen."""
        return server in self._listed

    def tool(self, server: str, name: str | None) -> str | None:
        """The word to count this tool under; None where there is none."""
        if name is None or name == OTHER:
            return name
        listed = self._listed.get(server)
        if listed is not None:
            return name if name in listed else OTHER
        if name in self._unlisted.get(server, ()):
            return name
        return self._note(server, name)

    def _note(self, server: str, name: str) -> str:
        if bounded_tool(name) != name:
            return OTHER
        seen = self._unlisted.get(server, frozenset())
        if len(seen) >= MAX_UNLISTED:
            return OTHER
        self._unlisted[server] = seen | {name}
        return name

    def __repr__(self) -> str:
        return f"<KnownNames of {len(self._listed)} servers>"
