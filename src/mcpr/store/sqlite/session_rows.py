"""What a writer keeps of sessions: who opened them, when they were seen, how they ended.

Everything is worked out of the events of one batch and of what the store already has, inside the
batch's transaction: so it survives restarts, and several writers of one file agree. Costs one
statement for each session of a batch. Two things are done before a batch is written:

* a request that names no caller gets the one that opened its session, whoever saw that;
* a request of the stateless wire (2026-07-28) becomes part of an *inferred* conversation: all
  requests by one client and version to one server without a pause of half an hour.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from mcpr.events.batch import Columns, Label
from mcpr.events.ids import part_of
from mcpr.events.link import read_link
from mcpr.store.sqlite.session_queries import (
    ADD_CONVERSATION,
    ADD_EVENT,
    ADD_TOOL,
    BEGIN_EARLIER,
    CALLER,
    CONVERSATION,
    COUNT,
    END,
    OPEN,
    SHARE,
    nameless,
    relabel,
)

#: A pause of this length ends an inferred conversation.
CONVERSATION_GAP_MS: Final = 30 * 60_000
_FIRST_MODERN: Final = "2026-07-28"
_METHOD_NOT_FOUND: Final = -32601
_MOST_REMEMBERED: Final = 20_000

# Places in a label, in the order of LABEL; written out so that their types are known.
_SERVER: Final = 0
_KIND: Final = 1
_TOOL: Final = 3
_STATUS: Final = 6
_CODE: Final = 7
_CLIENT: Final = 8
_VERSION: Final = 9
_REVISION: Final = 10
_NAME: Final = 11
_LINK_AT: Final = 4
# Set in the ids of a session's events: the ids of requests keep it clear (`events/ids`).
_END_BIT, _BEGIN_BIT = 1 << 60, 1 << 61


class Caller(NamedTuple):
    """Who opened a session."""

    client: str | None
    version: str | None
    revision: str | None
    name: str | None


#: A session and a label, by their keys in a batch.
_Pair = tuple[int, int]
#: server, client, version and name: what requests of one inferred conversation agree in.
_Identity = tuple[str, str | None, str | None, str | None]


@dataclass(slots=True)
class _Conversation:
    session: str
    first_ms: int
    last_ms: int

    def takes(self, ts_ms: int) -> bool:
        return self.first_ms - CONVERSATION_GAP_MS <= ts_ms <= self.last_ms + CONVERSATION_GAP_MS

    def reaches(self, ts_ms: int) -> None:
        self.first_ms = min(self.first_ms, ts_ms)
        self.last_ms = max(self.last_ms, ts_ms)


@dataclass(slots=True)
class _Seen:
    """What a batch says of one session. Places are those of events in the batch."""

    calls: int = 0
    errors: int = 0
    last_ms: int = 0
    good_ms: int = 0
    openings: list[int] = field(default_factory=list)
    ending: int | None = None
    ended_by: str = ""


class SessionRows(dict[str, int]):
    """Session → its id in the store. Asks the store for what it does not remember.

    labels: label → its id in the store, first of all.
    """

    def __init__(
        self, connection: sqlite3.Connection, labels: Mapping[Label, tuple[int, int]]
    ) -> None:
        super().__init__()
        self._connection = connection
        self._labels = labels
        self._callers: dict[str, Caller] = {}
        self._conversations: dict[_Identity, _Conversation] = {}
        self._tools: set[tuple[int, str]] = set()

    def __missing__(self, session: str) -> int:
        parameters = (bytes.fromhex(session),)
        query = "SELECT id FROM session WHERE hash = ?"
        row = self._connection.execute(query, parameters).fetchone()
        if row is None:
            added = self._connection.execute("INSERT INTO session (hash) VALUES (?)", parameters)
            row = (added.lastrowid,)
        self[session] = number = int(row[0])
        return number

    def forget(self) -> None:
        """Remember nothing: what is not committed is not in the store."""
        self.clear()
        self._callers.clear()
        self._conversations.clear()
        self._tools.clear()

    @property
    def remembered(self) -> int:
        """How much is remembered; whoever asks bounds it."""
        return len(self) + len(self._callers) + len(self._conversations) + len(self._tools)

    # -- before a batch is written ----------------------------------------------------------------

    def completed(self, columns: Columns) -> Columns:
        """The batch with conversations inferred and callers filled in."""
        labels, sessions = columns.labels, columns.sessions
        if None in sessions.values():
            modern = {at: _identity(label) for at, label in labels.items() if _is_modern(label)}
            if modern:
                columns = self._in_conversations(columns, modern)
        nameless = {at for at, label in labels.items() if label[_CLIENT] is None}
        if nameless and sessions.keys() - {None}:
            columns = self._named(columns, nameless)
        return columns

    def _in_conversations(self, columns: Columns, modern: Mapping[int, _Identity]) -> Columns:
        sessions = dict(columns.sessions)
        nobody = {at for at, session in sessions.items() if session is None}
        numbers: dict[str, int] = {}
        session = list(columns.session)
        for at, (label, key) in enumerate(zip(columns.label, columns.session, strict=True)):
            if key not in nobody or label not in modern:
                continue
            found = self._conversation(modern[label], columns.labels[label][_REVISION], columns, at)
            number = numbers.get(found)
            if number is None:
                number = numbers[found] = 1 + max(sessions)
                sessions[number] = found
            session[at] = number
        return msgspec.structs.replace(columns, session=session, sessions=sessions)

    def _conversation(
        self, identity: _Identity, revision: str | None, columns: Columns, at: int
    ) -> str:
        """The conversation that a request is part of; begun, if there is none."""
        ts_ms = columns.ts_ms[at]
        known = self._conversations.get(identity)
        if known is None or not known.takes(ts_ms):
            known = self._stored_conversation(identity, ts_ms)
        if known is None:
            # Named after its first request, so that whoever sees the same requests agrees.
            event_id = _id_of(columns, at)
            session = blake2b(event_id, digest_size=16)
            values = (*identity, revision, ts_ms, ts_ms, ts_ms)
            self._connection.execute(ADD_CONVERSATION, (session.digest(), *values))
            known = _Conversation(session.hexdigest(), ts_ms, ts_ms)
            self._tell(event_id, _BEGIN_BIT, ts_ms, self[known.session], "active")
        elif ts_ms < known.first_ms:
            self._connection.execute(BEGIN_EARLIER, (ts_ms, bytes.fromhex(known.session)))
        known.reaches(ts_ms)
        self._conversations[identity] = known
        return known.session

    def _stored_conversation(self, identity: _Identity, ts_ms: int) -> _Conversation | None:
        bounds = (ts_ms - CONVERSATION_GAP_MS, ts_ms + CONVERSATION_GAP_MS)
        row = self._connection.execute(CONVERSATION, (*identity, *bounds)).fetchone()
        return None if row is None else _Conversation(row[0].hex(), row[1], row[2])

    def _named(self, columns: Columns, nameless: set[int]) -> Columns:
        labels = dict(columns.labels)
        known: dict[tuple[int, int], int] = {}
        for session, label in set(zip(columns.session, columns.label, strict=True)):
            name = columns.sessions[session]
            if label not in nameless or name is None:
                continue
            caller = self._caller(name)
            if caller is not None:
                known[session, label] = number = 1 + max(labels)
                labels[number] = with_caller(labels[label], caller)
        if not known:
            return columns
        pairs = zip(columns.session, columns.label, strict=True)
        label_column = [known.get(pair, pair[1]) for pair in pairs]
        return msgspec.structs.replace(columns, label=label_column, labels=labels)

    def _caller(self, session: str) -> Caller | None:
        """Who opened the session; None where that is not known, or is not one."""
        found = self._callers.get(session)
        if found is None:
            row = self._connection.execute(CALLER, (bytes.fromhex(session),)).fetchone()
            if row is None:
                return None
            found = self._callers[session] = Caller(*row)
        return found

    # -- after a batch was written ----------------------------------------------------------------

    def count(self, columns: Columns) -> None:
        """Count what was written."""
        pairs = _pairs(columns)
        errors = {label: self._labels[columns.labels[label]][1] for _, label in pairs}
        for session, seen in _seen(columns, pairs, errors).items():
            name = columns.sessions[session]
            assert name is not None
            number = self[name]
            # Before it is seen: whether this is the first time, or one after its end.
            for opening in seen.openings:
                self._open(columns, opening, name, number)
            counts = (seen.calls, seen.errors, seen.last_ms, seen.good_ms)
            self._connection.execute(COUNT, (*counts, number))
            if seen.ending is not None:
                self._end(columns, seen, number)
        self._count_tools(columns, pairs)

    def _count_tools(self, columns: Columns, pairs: Iterable[_Pair]) -> None:
        for session, label in pairs:
            name, tool = columns.sessions[session], columns.labels[label][_TOOL]
            if name is not None and tool is not None and (self[name], tool) not in self._tools:
                if len(self._tools) >= _MOST_REMEMBERED:
                    self._tools.clear()
                self._tools.add((self[name], tool))
                self._connection.execute(ADD_TOOL, (self[name], tool))

    def _open(self, columns: Columns, at: int, name: str, number: int) -> None:
        label, ts_ms = columns.labels[columns.label[at]], columns.ts_ms[at]
        caller = _caller_of(label)
        link = read_link(columns.texts[at][_LINK_AT] if at in columns.texts else None)
        values = (label[_SERVER], *caller, link.server_name, link.server_version, ts_ms, number)
        if self._connection.execute(OPEN, values).rowcount:
            self._adopt(number, caller)
            self._tell(_id_of(columns, at), _BEGIN_BIT, ts_ms, number, "active")
        else:
            # Opened before: by the same caller, or the id was given to two of them.
            self._connection.execute(SHARE, (number, *caller[:2], caller.name))
        self._callers.pop(name, None)

    def _adopt(self, number: int, caller: Caller) -> None:
        """Another writer was faster than the one that saw the beginning: fill in the caller."""
        if caller.client is None:
            return
        for old, label in nameless(self._connection, number):
            relabel(self._connection, number, old, self._labels[with_caller(label, caller)][0])

    def _end(self, columns: Columns, seen: _Seen, number: int) -> None:
        assert seen.ending is not None
        ts_ms = columns.ts_ms[seen.ending]
        if self._connection.execute(END, (ts_ms, seen.ended_by, number, ts_ms)).rowcount:
            self._tell(_id_of(columns, seen.ending), _END_BIT, ts_ms, number, "ended")

    def _tell(self, event_id: bytes, bit: int, ts_ms: int, number: int, state: str) -> None:
        told_id = (int.from_bytes(event_id, "big") | bit).to_bytes(16, "big")
        self._connection.execute(ADD_EVENT, (told_id, ts_ms, state, number))


def _id_of(columns: Columns, at: int) -> bytes:
    [(event_id, _)] = part_of(columns.ids, at, at + 1)
    return event_id


def with_caller(label: Label, caller: Caller) -> Label:
    """The label of a request by that caller; its own revision stays."""
    changed: list[object] = list(label)
    changed[_CLIENT], changed[_VERSION], changed[_NAME] = caller.client, caller.version, caller.name
    changed[_REVISION] = label[_REVISION] or caller.revision
    return tuple(changed)  # type: ignore[return-value]  # each place keeps its type


def _caller_of(label: Label) -> Caller:
    return Caller(label[_CLIENT], label[_VERSION], label[_REVISION], label[_NAME])


def _identity(label: Label) -> _Identity:
    return label[_SERVER], label[_CLIENT], label[_VERSION], label[_NAME]


def _is_modern(label: Label) -> bool:
    revision = label[_REVISION]
    return (
        label[_KIND] == "rpc"
        and label[_CLIENT] is not None
        and revision is not None
        and revision >= _FIRST_MODERN
    )


def _is_lost(label: Label) -> bool:
    """Whether the server knows the session no longer. On the modern wire 404 means a method."""
    return (
        label[_STATUS] == 404
        and label[_CODE] != _METHOD_NOT_FOUND
        and (label[_REVISION] or "") < _FIRST_MODERN
    )


def _is_good(label: Label) -> bool:
    status = label[_STATUS]
    return status is not None and status < 300


def _pairs(columns: Columns) -> Mapping[_Pair, int]:
    """How often each session and label come together. Most batches of a proxy have one session."""
    session = columns.session[0]
    if columns.session.count(session) == len(columns.session):
        return {(session, label): count for label, count in Counter(columns.label).items()}
    return Counter(zip(columns.session, columns.label, strict=True))


def _times(columns: Columns, counts: Mapping[_Pair, int]) -> Mapping[_Pair, int]:
    """When each session was last seen with each label; or just the session, if that will do."""
    is_one_session = len({session for session, _ in counts}) == 1
    if is_one_session and len({_is_good(columns.labels[label]) for _, label in counts}) == 1:
        return dict.fromkeys(counts, max(columns.ts_ms))
    times: dict[_Pair, int] = {}
    pairs = zip(columns.session, columns.label, strict=True)
    for pair, ts_ms in zip(pairs, columns.ts_ms, strict=True):
        if times.setdefault(pair, ts_ms) < ts_ms:
            times[pair] = ts_ms
    return times


def _seen(
    columns: Columns, counts: Mapping[_Pair, int], errors: Mapping[int, int]
) -> dict[int, _Seen]:
    """What the batch says of each of its sessions. errors: label → 1 for an error."""
    nobody = {at for at, session in columns.sessions.items() if session is None}
    if nobody.issuperset(session for session, _ in counts):
        return {}
    labels = columns.labels
    times = _times(columns, counts)
    found: dict[int, _Seen] = {}
    lost: set[int] = set()
    for (session, at), count in counts.items():
        if session in nobody:
            continue
        label = labels[at]
        seen = found.setdefault(session, _Seen())
        if label[_KIND] == "rpc":
            seen.calls += count
            seen.errors += count * errors[at]
        ts_ms = times[session, at]
        seen.last_ms = max(seen.last_ms, ts_ms)
        if _is_good(label):
            seen.good_ms = max(seen.good_ms, ts_ms)
        if _is_lost(label):
            lost.add(at)
    if lost:
        _note_losses(columns, lost, found)
    _note_links(columns, found)
    return found


def _note_losses(columns: Columns, lost: set[int], found: Mapping[int, _Seen]) -> None:
    for at, (session, label) in enumerate(zip(columns.session, columns.label, strict=True)):
        if label in lost and session in found:
            found[session].ending, found[session].ended_by = at, "lost"


def _note_links(columns: Columns, found: Mapping[int, _Seen]) -> None:
    for at, texts in columns.texts.items():
        seen = found.get(columns.session[at])
        if seen is None or texts[_LINK_AT] is None:
            continue
        link = read_link(texts[_LINK_AT])
        if link.opens:
            seen.openings.append(at)
        if link.ends:
            seen.ending, seen.ended_by = at, "deleted"
