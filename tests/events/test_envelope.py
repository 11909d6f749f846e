"""events/envelope: what leaves is a list, and it is read as strictly as it is written.

The golden files and the published schema are contracts: when one of these tests is red because the
envelope was changed, it is the change that is wrong, unless the version changes too.
"""

import json
from pathlib import Path
from typing import get_args

import jsonschema  # type: ignore[import-untyped] # it ships no types
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.events.building import TS_MS, an_event, events

from mcpr.events import KINDS, ORIGINS, OUTCOMES, RequestEvent, envelope, is_error

GOLDEN = Path(__file__).parent / "golden"
DOCS = Path(__file__).parents[2] / "docs" / "reference"
SCHEMA = json.loads((DOCS / "envelope-v1.schema.json").read_text())

# PRODUCT: the whole allow-list of a request.
ALLOWED = [
    "v",
    "id",
    "ts_ms",
    "server",
    "kind",
    "method",
    "tool",
    "outcome",
    "origin",
    "http_status",
    "rpc_code",
    "latency_us",
    "upstream_us",
    "bytes_in",
    "bytes_out",
    "session",
    "client",
    "client_version",
    "revision",
]

ID = bytes.fromhex("019b76da-a87b-7000-8000-00000000002a".replace("-", ""))
CASES = {
    "tool_call": an_event(id=ID),
    "tool_error": an_event(id=ID, outcome="tool_error", origin="tool"),
    "rpc_error": an_event(
        id=ID, tool="_other", outcome="rpc_error", origin="client", rpc_code=-32602
    ),
    "nothing_known": RequestEvent(
        id=ID,
        ts_ms=TS_MS,
        server="weather",
        kind="http",
        method=None,
        tool=None,
        outcome="client_gone",
        origin="client",
        http_status=None,
        rpc_code=None,
        latency_us=0,
        upstream_us=None,
        bytes_in=0,
        bytes_out=0,
        session=None,
        client=None,
        client_version=None,
        revision=None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_event_is_encoded_as_the_golden_file_says(name: str) -> None:
    assert envelope.encode(CASES[name]) + b"\n" == (GOLDEN / f"{name}.json").read_bytes()


def test_every_golden_file_has_its_case() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


def test_the_keys_are_the_allow_list_and_nothing_else() -> None:
    assert list(envelope.KEYS) == ALLOWED
    assert list(SCHEMA["properties"]) == ALLOWED


@given(events)
def test_decoding_what_was_encoded_gives_exactly_the_public_part(event: RequestEvent) -> None:
    public = msgspec.structs.replace(event, detail=None, aside=None)
    assert envelope.decode(envelope.encode(event)) == public


@given(events)
def test_an_event_leaves_the_same_way_with_and_without_its_detail(event: RequestEvent) -> None:
    """P4 to P9: the local part has no way out."""
    public = msgspec.structs.replace(event, detail=None, aside=None)
    assert envelope.encode(event) == envelope.encode(public)


@given(events)
def test_every_encoded_event_is_valid_by_the_published_schema(event: RequestEvent) -> None:
    jsonschema.validate(json.loads(envelope.encode(event)), SCHEMA)


def test_the_published_schema_is_the_one_of_the_code() -> None:
    written = json.dumps(envelope.schema(), indent=2) + "\n"
    assert (DOCS / "envelope-v1.schema.json").read_text() == written, (
        "write it anew: python -c 'import json; from mcpr.events import envelope; "
        "print(json.dumps(envelope.schema(), indent=2))' > docs/reference/envelope-v1.schema.json"
    )


def test_the_reference_page_explains_every_key() -> None:
    page = (DOCS / "events.md").read_text()
    assert [key for key in ALLOWED if f"| `{key}` |" not in page] == []


@pytest.mark.parametrize("word", [*KINDS, *OUTCOMES, *ORIGINS, *get_args(envelope.Verdict)])
def test_the_reference_page_explains_every_word_of_a_closed_list(word: str) -> None:
    assert f"`{word}`" in (DOCS / "events.md").read_text()


def test_the_reference_page_marks_exactly_the_errors() -> None:
    page = (DOCS / "events.md").read_text()
    marked = {outcome: f"| `{outcome}` | yes |" in page for outcome in OUTCOMES}
    assert marked == {outcome: is_error(outcome) for outcome in OUTCOMES}


def test_the_reference_page_shows_a_golden_file() -> None:
    page = (DOCS / "events.md").read_text()
    assert (GOLDEN / "tool_call.json").read_text() in page


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (b"", "refused:not_an_object"),
        (b"{", "refused:not_an_object"),
        (b"[1]", "refused:not_an_object"),
        (b'"v"', "refused:not_an_object"),
        (b"\xff\xfe", "refused:not_an_object"),
        (b"{}", "refused:missing_key"),
        (b'{"v":1}', "refused:missing_key"),
        (b'{"v":2}', "refused:unknown_version"),
        (b'{"v":"1"}', "refused:unknown_version"),
        (b'{"v":2,"arguments":{}}', "refused:unknown_version"),
        (b'{"v":1,"arguments":{}}', "refused:unknown_key"),
    ],
)
def test_what_is_no_event_gets_its_verdict(said: bytes, verdict: str) -> None:
    with pytest.raises(envelope.Refused) as caught:
        envelope.decode(said)
    assert caught.value.verdict == verdict


@pytest.mark.parametrize("key", ["detail", "arguments", "Tool", "result", "error_text", ""])
def test_an_event_with_an_unknown_key_is_refused(key: str) -> None:
    """P6 to P9: a patched proxy cannot push more than the list."""
    said = json.loads(envelope.encode(an_event())) | {key: "canary"}
    with pytest.raises(envelope.Refused) as caught:
        envelope.decode(json.dumps(said).encode())
    assert caught.value.verdict == "refused:unknown_key"
    assert "canary" not in str(caught.value)


BAD: dict[str, list[object]] = {
    "id": ["", "019b76da-a87b-4000-8000-00000000002a", "019B76DA-A87B-7000-8000-00000000002A"],
    "ts_ms": [-1, 1.5, 1.0, "1", True, 2**53],
    "server": ["", "a\nb", "x" * 129, 7],
    "kind": ["request", "", 1],
    "method": ["a b", "x" * 129, "tools/call\n"],
    "tool": ["rm -rf", "über", "x" * 129, ["a"]],
    "outcome": ["fine"],
    "origin": ["moon"],
    "http_status": [99, 600, "200"],
    "rpc_code": [2**53, 0.5],
    "latency_us": [-1],
    "upstream_us": [-1],
    "bytes_in": [-1, "many"],
    "bytes_out": [-1],
    "session": ["0123", "Z" * 32, "0123456789abcdef0123456789abcdef\n"],
    "client": ["Claude Code", "", "x" * 65],
    "client_version": ["1 2", "", "x" * 33],
    "revision": ["", "2025/11/25"],
}


@pytest.mark.parametrize(("key", "value"), [(key, bad) for key in BAD for bad in [*BAD[key], None]])
def test_a_value_outside_its_bounds_is_refused(key: str, value: object) -> None:
    """Null too: what is absent has no key."""
    said = json.loads(envelope.encode(an_event(rpc_code=1, origin="tool"))) | {key: value}
    with pytest.raises(envelope.Refused) as caught:
        envelope.decode(json.dumps(said).encode())
    assert caught.value.verdict == "refused:bad_value"
    # JSON Schema holds 1.0 for an integer; we want it written as one.
    if value != 1.0 or isinstance(value, bool):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(said, SCHEMA)


@pytest.mark.parametrize("key", [key for key in ALLOWED if key in SCHEMA["required"]])
def test_an_event_without_a_required_key_is_refused(key: str) -> None:
    said = json.loads(envelope.encode(an_event()))
    del said[key]
    with pytest.raises(envelope.Refused) as caught:
        envelope.decode(json.dumps(said).encode())
    assert caught.value.verdict == "refused:missing_key"


@given(st.binary() | st.text().map(str.encode))
def test_anything_is_either_an_event_or_refused(said: bytes) -> None:
    with pytest.raises(envelope.Refused):
        envelope.decode(said)
