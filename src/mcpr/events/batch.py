"""Events side by side: a batch as columns, what repeats said once.

Most of an event is words that its neighbours say too. Whoever moves or stores many events at once
does so by column, and nobody builds a `RequestEvent` unless somebody looks at one. On the measured
path in both processes, so what looks odd here is measured: whole columns are compared, counted and
numbered by the interpreter's own loops.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from operator import add, itemgetter
from typing import Any, Final, TypeVar, cast, overload

import msgspec
from msgspec.structs import astuple

from mcpr.events.ids import Run, ids_of, joined, part_of, runs_of
from mcpr.events.outcome import Kind, Origin, Outcome
from mcpr.events.types import Aside, Detail, RequestEvent

#: What a request has in common with many others, in the order of LABEL.
Label = tuple[
    str,
    Kind,
    str | None,
    str | None,
    Outcome,
    Origin | None,
    int | None,
    int | None,
    str | None,
    str | None,
    str | None,
    str | None,
    str | None,
    str | None,
]
LABEL: Final = (
    *("server", "kind", "method", "tool", "outcome", "origin", "http_status", "rpc_code"),
    *("client", "client_version", "revision", "client_name", "http_method", "note"),
)
#: subject, method, error_text, path and link of a detail.
Texts = tuple[str | None, str | None, str | None, str | None, str | None]

_NO_DETAIL: Final = Detail()
_NO_TEXTS: Final[Texts] = (None, None, None, None, None)
# Where RequestEvent has its fields.
_AT: Final = {name: at for at, name in enumerate(RequestEvent.__struct_fields__)}
_public_label = itemgetter(*[_AT[name] for name in LABEL if name in _AT])

_T = TypeVar("_T")
_Column = tuple[Any, ...]
#: client_name, http_method and note.
_Words = tuple[str | None, str | None, str | None]
_NO_WORDS: Final[_Words] = (None, None, None)


class Columns(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One value for each event in every column; see RequestEvent and Detail for their meaning.

    ids: as runs, for nearly always the ids of a batch follow one another.
    label, session: keys of `labels` and `sessions`.
    texts: of the events, by their place, that have any; and of those with an empty detail.
    asides: of the events, by their place, that have one.
    """

    ids: Sequence[Run]
    ts_ms: Sequence[int]
    label: Sequence[int]
    latency_us: Sequence[int]
    upstream_us: Sequence[int | None]
    upstream_first_us: Sequence[int | None]
    bytes_in: Sequence[int]
    bytes_out: Sequence[int]
    session: Sequence[int]
    labels: dict[int, Label]
    sessions: dict[int, str | None]
    texts: dict[int, Texts]
    asides: dict[int, Aside] = {}


class Batch(Sequence[RequestEvent]):
    """A sequence of events that is kept by column. An event is built when it is asked for."""

    __slots__ = ("columns",)

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    @classmethod
    def of(cls, events: Sequence[RequestEvent]) -> "Batch":
        """The events by column."""
        if isinstance(events, Batch):
            return events
        return cls(_columns(events) if events else _EMPTY)

    @classmethod
    def joined(cls, batches: Sequence["Batch"]) -> "Batch":
        """All events of these batches, in order."""
        parts = [batch for batch in batches if batch]
        if len(parts) == 1:
            return parts[0]
        return cls(_joined([batch.columns for batch in parts]) if parts else _EMPTY)

    def __len__(self) -> int:
        return len(self.columns.ts_ms)

    def __repr__(self) -> str:
        return f"<Batch of {len(self)}>"

    def __iter__(self) -> Iterator[RequestEvent]:
        return map(self._event, count(), ids_of(self.columns.ids))

    @overload
    def __getitem__(self, index: int) -> RequestEvent: ...

    @overload
    def __getitem__(self, index: slice) -> "Batch": ...

    def __getitem__(self, index: int | slice) -> "RequestEvent | Batch":
        if isinstance(index, int):
            at = range(len(self))[index]
            [(event_id, _)] = part_of(self.columns.ids, at, at + 1)
            return self._event(at, event_id)
        start, stop, step = index.indices(len(self))
        assert step == 1, "a part of a batch has its order"
        return Batch(_part(self.columns, start, max(start, stop)))

    def _event(self, at: int, event_id: bytes) -> RequestEvent:
        columns = self.columns
        label = columns.labels[columns.label[at]]
        texts = columns.texts.get(at)
        first_us = columns.upstream_first_us[at]
        client_name, http_method, note = label[11:]
        detail = None
        if texts or first_us is not None or label[11:] != _NO_WORDS:
            subject, method, error_text, path, link = texts or _NO_TEXTS
            detail = Detail(
                subject, method, error_text, client_name, http_method, path, note, first_us, link
            )
        return RequestEvent(
            event_id,
            columns.ts_ms[at],
            *label[:8],
            columns.latency_us[at],
            columns.upstream_us[at],
            columns.bytes_in[at],
            columns.bytes_out[at],
            columns.sessions[columns.session[at]],
            *label[8:11],
            detail,
            columns.asides.get(at),
        )


_EMPTY: Final = Columns((), (), (), (), (), (), (), (), (), {}, {}, {})


def _columns(events: Sequence[RequestEvent]) -> Columns:
    """The columns of at least one event."""
    rows = list(map(astuple, events))
    columns = list(zip(*rows, strict=True))
    words, first_us, texts = _details(columns[_AT["detail"]])
    label, labels = _numbered(map(_public_label, rows), words)
    session, sessions = _sessions(columns[_AT["session"]])
    asides = columns[_AT["aside"]]
    return Columns(
        runs_of(columns[_AT["id"]]),
        columns[_AT["ts_ms"]],
        label,
        columns[_AT["latency_us"]],
        columns[_AT["upstream_us"]],
        first_us,
        columns[_AT["bytes_in"]],
        columns[_AT["bytes_out"]],
        session,
        labels,
        sessions,
        texts,
        {at: aside for at, aside in enumerate(asides) if aside is not None} if any(asides) else {},
    )


def _details(details: _Column) -> tuple[Sequence[_Words], _Column, dict[int, Texts]]:
    """What details add to labels (one for all, or one for each), first bytes' times, texts."""
    first = details[0]
    if details.count(first) == len(details):
        # One caller, or no detail at all: most batches.
        words, first_us, texts = _split(first)
        found = {} if texts is None else dict.fromkeys(range(len(details)), texts)
        return (words,), (first_us,) * len(details), found
    split = [_split(detail) for detail in details]
    return (
        [words for words, _, _ in split],
        tuple([first_us for _, first_us, _ in split]),
        {at: texts for at, (_, _, texts) in enumerate(split) if texts is not None},
    )


def _split(detail: Detail | None) -> tuple[_Words, int | None, Texts | None]:
    if detail is None:
        return _NO_WORDS, None, None
    subject, method, error_text, client_name, http_method, path, note, first_us, link = astuple(
        detail
    )
    texts = (subject, method, error_text, path, link)
    is_said = texts != _NO_TEXTS or detail == _NO_DETAIL
    return (client_name, http_method, note), first_us, texts if is_said else None


def _numbered(
    publics: Iterable[tuple[Any, ...]], words: Sequence[_Words]
) -> tuple[list[int], dict[int, Label]]:
    """For each event the place of the first one with its label, and the labels by that place."""
    places: dict[tuple[Any, ...], int] = {}
    if len(words) == 1:
        numbers = list(map(places.setdefault, publics, count()))
        return numbers, {at: cast("Label", public + words[0]) for public, at in places.items()}
    numbers = list(map(places.setdefault, map(add, publics, words), count()))
    return numbers, {at: cast("Label", label) for label, at in places.items()}


def _sessions(sessions: _Column) -> tuple[Sequence[int], dict[int, str | None]]:
    if sessions.count(sessions[0]) == len(sessions):
        return (0,) * len(sessions), {0: sessions[0]}
    places: dict[str | None, int] = {}
    numbers = list(map(places.setdefault, sessions, count()))
    return numbers, {at: session for session, at in places.items()}


def _part(columns: Columns, start: int, stop: int) -> Columns:
    return Columns(
        part_of(columns.ids, start, stop),
        columns.ts_ms[start:stop],
        columns.label[start:stop],
        columns.latency_us[start:stop],
        columns.upstream_us[start:stop],
        columns.upstream_first_us[start:stop],
        columns.bytes_in[start:stop],
        columns.bytes_out[start:stop],
        columns.session[start:stop],
        columns.labels,
        columns.sessions,
        {at - start: texts for at, texts in columns.texts.items() if start <= at < stop},
        {at - start: aside for at, aside in columns.asides.items() if start <= at < stop},
    )


def _joined(parts: Sequence[Columns]) -> Columns:
    label: list[int] = []
    labels: dict[int, Label] = {}
    session: list[int] = []
    sessions: dict[int, str | None] = {}
    texts: dict[int, Texts] = {}
    asides: dict[int, Aside] = {}
    for part in parts:
        if part.asides:
            asides |= {at + len(label): aside for at, aside in part.asides.items()}
        if part.texts:
            texts |= {at + len(label): said for at, said in part.texts.items()}
        _take_in(label, labels, part.label, part.labels)
        _take_in(session, sessions, part.session, part.sessions)
    return Columns(
        joined([run for part in parts for run in part.ids]),
        _chained([part.ts_ms for part in parts]),
        label,
        _chained([part.latency_us for part in parts]),
        _chained([part.upstream_us for part in parts]),
        _chained([part.upstream_first_us for part in parts]),
        _chained([part.bytes_in for part in parts]),
        _chained([part.bytes_out for part in parts]),
        session,
        labels,
        sessions,
        texts,
        asides,
    )


def _take_in(
    numbers: list[int], said: dict[int, _T], more: Sequence[int], more_said: dict[int, _T]
) -> None:
    """Add what another part says; under other numbers only where these mean something else."""
    if all(said.get(number, words) == words for number, words in more_said.items()):
        said.update(more_said)
        numbers += more
        return
    # The same thing may be said under two numbers then; whoever looks it up finds one.
    base = 1 + max(said)
    numbers += [number + base for number in more]
    said.update({number + base: words for number, words in more_said.items()})


def _chained(parts: Sequence[Sequence[_T]]) -> list[_T]:
    whole: list[_T] = []
    for part in parts:
        whole += part
    return whole
