"""What common calls say again and again, by numbers; and their rows as columns.

A call's row differs from its neighbours' in numbers only: its words are those of a few tools and
callers. So they are put together once, and a row names them by a number (see `events/batch`).
"""

from mcpr.events import Batch, Outcome
from mcpr.events.batch import Columns, Label
from mcpr.events.ids import Run, joined
from mcpr.pipeline.identity import Caller

#: ts_ms, number of its words, latency_us, upstream_us, bytes in and out, number of its session.
Row = tuple[int, int, int, int, int, int, int]
#: method, tool, HTTP status, caller, revision.
Said = tuple[str, str | None, int | None, Caller, str | None]
#: Numbers of calls of tools that differ in nothing but the tool.
Words = dict[str | None, int]

_MOST = 4096
_OK: Outcome = "ok"


class _Numbers(dict[Said, int]):
    """What was said → its number. A number stays with its words as long as both are remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[Said] = []

    def __missing__(self, said: Said) -> int:
        number = self[said] = len(self.said)
        self.said.append(said)
        return number


class _Sessions(dict[str | None, int]):
    """Session → its number."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str | None] = []

    def __missing__(self, session: str | None) -> int:
        number = self[session] = len(self.said)
        self.said.append(session)
        return number


class Common:
    """The words of one recording's common calls.

    ids: of the rows that are published and not yet made a batch of, in their order.
    """

    __slots__ = ("_keep_detail", "_labels", "_server", "_words", "ids", "numbers", "sessions")

    def __init__(self, server: str, *, keep_detail: bool) -> None:
        self._server = server
        self._keep_detail = keep_detail
        self._labels: list[Label] = []
        self._words: dict[tuple[int, Caller, str | None], Words] = {}
        self.ids: list[Run] = []
        self.numbers = _Numbers()
        self.sessions = _Sessions()

    def change(self, server: str, *, keep_detail: bool) -> None:
        """Say another name, and more or less, from the next batch on."""
        self._server = server
        self._keep_detail = keep_detail
        # They are put together again as far as they are needed.
        self._labels = []

    def words(self, status: int, caller: Caller, revision: str | None) -> Words:
        """Numbers by tool, of those that were asked for; whoever learns one adds it."""
        key = (status, caller, revision)
        found = self._words.get(key)
        if found is None:
            if len(self._words) >= _MOST:
                self._words.clear()
            found = self._words[key] = {}
        return found

    def batch(self, rows: list[Row]) -> Batch:
        """The rows of at least one call, with their words: all that wait, in their order."""
        ts_ms, label, latency_us, upstream_us, bytes_in, bytes_out, session = zip(
            *rows, strict=True
        )
        ids, self.ids = self.ids, []
        labels = self._labels
        labels += [self._label(said) for said in self.numbers.said[len(labels) :]]
        sessions = self.sessions.said
        batch = Batch(
            Columns(
                joined(ids),
                ts_ms,
                label,
                latency_us,
                upstream_us,
                (None,) * len(rows),
                bytes_in,
                bytes_out,
                session,
                {number: labels[number] for number in set(label)},
                {number: sessions[number] for number in set(session)},
                {},
            )
        )
        if len(labels) + len(sessions) > _MOST:
            self._words.clear()
            self.numbers.clear()
            self.numbers.said = []
            self._labels = []
            self.sessions.clear()
            self.sessions.said = []
        return batch

    def _label(self, said: Said) -> Label:
        method, tool, status, caller, revision = said
        name = caller.name if self._keep_detail else None
        return (
            *(self._server, "rpc", method, tool, _OK, None, status, None),
            *(caller.client, caller.version, revision, name, None, None),
        )
