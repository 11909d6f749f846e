"""The schema event's form outside: the allow-list, both ways, and nothing else."""

import json
from pathlib import Path

import pytest

from mcpr.events.envelope import Refused
from mcpr.events.schema import SchemaEvent, decode, encode
from mcpr.events.schema.event import KEYS, MAX_NAMES, Counts, public_names, schema

ROOT = Path(__file__).parents[3]
EVENT = SchemaEvent(
    bytes.fromhex("019b76daa87b7000800000000000002a"),
    1_767_225_600_123,
    "weather",
    "tools",
    3,
    "0123456789abcdef0123456789abcdef",
    ("get_forecast",),
    ("get_old",),
    ("get_weather",),
    Counts(12, 1, 1, 1),
    "breaking",
)
GOLDEN = (
    b'{"v":1,"id":"019b76da-a87b-7000-8000-00000000002a","ts_ms":1767225600123,"server":"weather",'
    b'"list":"tools","version":3,"hash":"0123456789abcdef0123456789abcdef",'
    b'"added":["get_forecast"],"removed":["get_old"],"modified":["get_weather"],'
    b'"counts":{"items":12,"added":1,"removed":1,"modified":1},"verdict":"breaking"}'
)


def test_the_form_is_the_published_one() -> None:
    assert encode(EVENT) == GOLDEN
    assert decode(GOLDEN) == EVENT


def test_the_keys_are_the_allow_list_and_nothing_else() -> None:
    """P4."""
    listed = "id ts_ms server list version hash added removed modified counts verdict"
    assert ("v", *listed.split()) == KEYS


def test_a_first_version_has_no_verdict_and_no_empty_keys() -> None:
    first = SchemaEvent(EVENT.id, 1, "s", "prompts", 1, EVENT.hash, (), (), (), Counts(2), None)
    assert set(json.loads(encode(first))) == {
        *("v", "id", "ts_ms", "server", "list", "version", "hash", "counts")
    }
    assert decode(encode(first)) == first


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"description": "x"}, "refused:unknown_key"),
        ({"counts": {"items": 1, "added": 0, "removed": 0, "modified": 0, "x": 1}}, "bad_value"),
        ({"v": 2}, "refused:unknown_version"),
        ({"added": ["two words"]}, "refused:bad_value"),
        ({"added": ["a"] * (MAX_NAMES + 1)}, "refused:bad_value"),
        ({"list": "secrets"}, "refused:bad_value"),
        ({"verdict": None}, "refused:bad_value"),
    ],
)
def test_what_is_not_in_it_is_refused(change: dict[str, object], verdict: str) -> None:
    data = json.dumps({**json.loads(GOLDEN), **change}).encode()
    with pytest.raises(Refused) as refused:
        decode(data)
    assert refused.value.verdict.endswith(verdict)


def test_without_a_key_it_is_refused() -> None:
    said = json.loads(GOLDEN)
    del said["hash"]
    with pytest.raises(Refused, match="refused:missing_key"):
        decode(json.dumps(said).encode())


def test_names_are_bounded_as_a_requests_tool_is() -> None:
    names = public_names(["b", "two words", "tw\u00f6", "a", "b", *(f"t{n}" for n in range(200))])
    assert names[:3] == ("b", "_other", "a")
    assert len(names) == MAX_NAMES


def test_the_published_schema_is_this_one() -> None:
    published = ROOT / "docs" / "reference" / "envelope-v1-schema.schema.json"
    assert json.loads(published.read_text()) == json.loads(json.dumps(schema()))
