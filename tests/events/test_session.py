"""The session event's form outside: the allow-list, both ways, and nothing else."""

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped] # it ships no types
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.events.building import event_ids
from tests.store.building import a_store
from tests.store.sessions import deletes, named, opens

from mcpr.events import SessionEvent
from mcpr.events.envelope import Refused
from mcpr.events.session import KEYS, decode, encode, schema
from mcpr.store.sqlite import SqliteEventStore

DOCS = Path(__file__).parents[2] / "docs" / "reference"
PUBLISHED = json.loads((DOCS / "envelope-v1-session.schema.json").read_text())
EVENT = SessionEvent(
    bytes.fromhex("019b76daa87b7000800000000000002a"),
    1_767_225_600_123,
    "weather",
    "0123456789abcdef0123456789abcdef",
    "active",
    "claude-code",
    "2.1.0",
    "2025-11-25",
)
GOLDEN = (
    b'{"v":1,"id":"019b76da-a87b-7000-8000-00000000002a","ts_ms":1767225600123,"server":"weather",'
    b'"session":"0123456789abcdef0123456789abcdef","state":"active","client":"claude-code",'
    b'"client_version":"2.1.0","revision":"2025-11-25"}'
)
session_events = st.builds(
    SessionEvent,
    id=event_ids(),
    ts_ms=st.integers(0, 2**53 - 1),
    server=st.from_regex(r"[^\x00-\x1f\x7f]{1,128}", fullmatch=True),
    session=st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    state=st.sampled_from(["active", "idle", "ended"]),
    client=st.none() | st.sampled_from(["claude", "other"]),
    client_version=st.none() | st.from_regex(r"[0-9A-Za-z.+-]{1,32}", fullmatch=True),
    revision=st.none() | st.sampled_from(["2025-11-25", "2026-07-28"]),
)


def test_the_form_is_the_published_one() -> None:
    assert encode(EVENT) == GOLDEN
    assert decode(GOLDEN) == EVENT


def test_the_keys_are_the_allow_list_and_nothing_else() -> None:
    """P4."""
    listed = "id ts_ms server session state client client_version revision"
    assert ("v", *listed.split()) == KEYS
    assert tuple(PUBLISHED["properties"]) == KEYS


@given(session_events)
def test_every_event_is_read_as_it_was_written_and_valid_by_the_schema(event: SessionEvent) -> None:
    assert decode(encode(event)) == event
    jsonschema.validate(json.loads(encode(event)), PUBLISHED)


def test_who_said_nothing_has_no_keys() -> None:
    event = msgspec.structs.replace(EVENT, client=None, client_version=None, revision=None)
    assert set(json.loads(encode(event))) == {"v", "id", "ts_ms", "server", "session", "state"}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"session_id": "x"}, "refused:unknown_key"),
        ({"client_name": "Claude"}, "refused:unknown_key"),
        ({"v": 2}, "refused:unknown_version"),
        ({"session": "1868a90c-secret"}, "refused:bad_value"),
        ({"state": "closed"}, "refused:bad_value"),
        ({"client": "Claude Code"}, "refused:bad_value"),
        ({"client": None}, "refused:bad_value"),
    ],
)
def test_what_is_not_in_it_is_refused(change: dict[str, object], verdict: str) -> None:
    data = json.dumps({**json.loads(GOLDEN), **change}).encode()
    with pytest.raises(Refused) as refused:
        decode(data)
    assert refused.value.verdict == verdict


@pytest.mark.parametrize("key", ["v", "id", "ts_ms", "server", "session", "state"])
def test_without_a_key_it_is_refused(key: str) -> None:
    said = json.loads(GOLDEN)
    del said[key]
    with pytest.raises(Refused, match="refused:missing_key"):
        decode(json.dumps(said).encode())


def test_what_the_store_tells_of_sessions_has_this_form(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [opens(1), deletes(1, 1)])
    with SqliteEventStore(path) as store:
        told = [event for _, event in store.session_events_after(0, 10)]
    assert [decode(encode(event)) for event in told] == told
    assert [(event.session, event.state) for event in told] == [
        (named(1), "active"),
        (named(1), "ended"),
    ]


def test_the_published_schema_is_this_one() -> None:
    written = json.dumps(schema(), indent=2) + "\n"
    assert (DOCS / "envelope-v1-session.schema.json").read_text() == written, (
        "write it anew: python -c 'import json; from mcpr.events import session; "
        "print(json.dumps(session.schema(), indent=2))'"
        " > docs/reference/envelope-v1-session.schema.json"
    )


def test_the_reference_page_has_the_golden_form() -> None:
    assert GOLDEN.decode() in (DOCS / "events.md").read_text()
