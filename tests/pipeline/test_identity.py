"""Who calls is told by slug and bounded version; sessions are named by a keyed hash."""

import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.size import examples

from mcpr.pipeline.identity import (
    CLIENTS,
    NOBODY,
    OTHER_CLIENT,
    WHOLE_NAMES,
    Caller,
    Callers,
    SessionNames,
    Sessions,
    family,
)
from mcpr.protocol.results import Implementation

#: Names as they are seen on the wire → the family they belong to.
SEEN = {
    "openai-mcp": "chatgpt",
    "ChatGPT": "chatgpt",
    "claude-ai": "claude",
    "Claude": "claude",
    "Anthropic/ClaudeAI": "claude",
    "Anthropic/Toolbox": "claude",
    "claude-code": "claude-code",
    "codex-mcp-client": "codex",
    "Codex": "codex",
    "cursor-vscode": "cursor",
    "Cursor": "cursor",
    "Visual Studio Code": "vscode",
    "Visual Studio Code - Insiders": "vscode",
    "Visual-Studio-Code": "vscode",
    "vscode": "vscode",
    "ms-copilot": "m365-copilot",
    "github-copilot-developer": "github-copilot",
    "JetBrains-IU-copilot-intellij": "jetbrains",
    "Xcode-copilot-xcode": "xcode",
    "gemini-cli-mcp-client": "gemini",
    "antigravity-client": "antigravity",
    "goose-desktop": "goose",
    "goose": "goose",
    "windsurf-client": "windsurf",
    "Windsurf": "windsurf",
    "Cline": "cline",
    "Roo-Code": "roo-code",
    "Kilo-Code": "kilo-code",
    "continue-cli-client": "continue",
    "Zed": "zed",
    "opencode": "opencode",
    "amp-mcp-client": "amp",
    "factory-cli": "factory",
    "Q-DEV-CLI": "amazon-q",
    "Slackbot MCP Client": "slack",
    "notion": "notion",
    "@n8n/n8n-nodes-langchain.mcpClientTool": "n8n",
    "bedrock-agentcore": "agentcore",
    "@librechat/api-client": "librechat",
    "Postman-Client": "postman",
    "com.raycast.macos": "raycast",
    "grok-connectors-manager": "grok",
    "inspector-cli": "inspector",
    "mcp-inspector": "inspector",
    "conformance-test-client": "conformance",
    "FastMCP-client": "fastmcp",
    "mcp": "python-sdk",
    " MCP ": "python-sdk",
}

PAGE = (Path(__file__).parents[2] / "docs/reference/clients.md").read_text()

UNKNOWN = ["", " ", "my-agent", "mcp-remote", "mcpr", "mcpjam", "a claude", "x" * 10_000, "\ud83d"]


@pytest.mark.parametrize(("name", "slug"), SEEN.items(), ids=[*SEEN])
def test_a_client_seen_on_the_wire_belongs_to_its_family(name: str, slug: str) -> None:
    assert family(name) == slug


def test_every_family_of_the_table_is_reached_by_a_name_seen_on_the_wire() -> None:
    slugs = {slug for _, slug in CLIENTS} | set(WHOLE_NAMES.values())
    assert set(SEEN.values()) == slugs


@pytest.mark.parametrize(("start", "slug"), CLIENTS, ids=[start for start, _ in CLIENTS])
def test_no_beginning_of_the_table_is_hidden_by_an_earlier_one(start: str, slug: str) -> None:
    assert start == start.strip().lower()
    assert family(start) == slug


@pytest.mark.parametrize(("start", "slug"), [*CLIENTS, *WHOLE_NAMES.items()])
def test_the_page_of_known_clients_has_every_row(start: str, slug: str) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{slug}` |")]
    assert [f"`{start}`" in row for row in rows] == [True]


def test_the_page_of_known_clients_has_no_other_row() -> None:
    shown = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert shown == [*dict.fromkeys([*dict(CLIENTS).values(), *WHOLE_NAMES.values()])]


def test_a_client_behind_a_bridge_stays_in_its_family() -> None:
    """mcp-remote says its client's name with a remark after it."""
    assert family("claude-ai (via mcp-remote 0.1.18)") == "claude"


@pytest.mark.parametrize("name", UNKNOWN, ids=lambda name: repr(name[:12]))
def test_an_unknown_client_is_other_and_never_its_own_text(name: str) -> None:
    assert family(name) == OTHER_CLIENT


@given(st.text())
@examples(100)
def test_whatever_a_client_calls_itself_a_slug_comes_out(name: str) -> None:
    assert family(name) in {slug for _, slug in CLIENTS} | {*WHOLE_NAMES.values(), OTHER_CLIENT}


def test_a_caller_has_slug_bounded_version_name_and_revision() -> None:
    caller = Callers().of(Implementation("claude-ai", "0.1.0"), "2025-11-25")
    assert (caller.client, caller.version) == ("claude", "0.1.0")
    assert (caller.name, caller.revision) == ("claude-ai", "2025-11-25")


@pytest.mark.parametrize("version", [None, "", "1 0", "1.0\n", "x" * 33, "ü", "1/2"])
def test_a_version_that_does_not_look_like_one_is_absent(version: str | None) -> None:
    assert Callers().of(Implementation("zed", version), None).version is None


@pytest.mark.parametrize("version", ["1", "2.1.0-rc.1+build", "x" * 32])
def test_a_version_that_looks_like_one_is_kept(version: str) -> None:
    assert Callers().of(Implementation("zed", version), None).version == version


def test_who_gives_no_name_has_no_family_rather_than_other() -> None:
    caller = Callers().of(Implementation(None, "1.0"), None)
    assert (caller.client, caller.name, caller.version) == (None, None, "1.0")


def test_a_long_name_is_kept_to_128_characters() -> None:
    assert Callers().of(Implementation("zed" + "!" * 1000, None), None).name == "zed" + "!" * 125


def test_the_same_words_give_the_same_caller() -> None:
    callers = Callers()
    one = callers.of(Implementation("zed", "1"), None)
    assert callers.of(Implementation("zed", "1"), None) is one
    assert callers.of(Implementation("zed", "1"), "2026-07-28") is not one


def test_the_memory_of_callers_is_bounded() -> None:
    callers = Callers()
    for number in range(10_000):
        caller = callers.of(Implementation(f"agent-{number}", "1"), None)
        assert caller.name == f"agent-{number}"
    assert len(callers) <= 4096


def test_long_words_are_read_and_not_remembered() -> None:
    callers = Callers()
    assert callers.of(Implementation("zed" * 1000, "1"), None).client == "zed"
    assert callers.of(Implementation("zed", "1" * 1000), None).version is None
    assert len(callers) == 0


def test_a_caller_shows_no_text_of_the_client_when_it_is_debugged() -> None:
    assert repr(Callers().of(Implementation("secret", "1"), None)) == "<Caller other 1 None>"


ID = b"1868a90c-secret"


def test_a_session_has_one_name_of_32_hex_digits_for_one_key() -> None:
    name = SessionNames(b"k").name(ID)
    assert re.fullmatch("[0-9a-f]{32}", name)
    assert SessionNames(b"k").name(ID) == name


def test_another_key_and_another_id_give_another_name() -> None:
    names = {SessionNames(b"k").name(ID), SessionNames(b"l").name(ID), SessionNames(b"").name(ID)}
    assert len(names | {SessionNames(b"k").name(ID + b"x")}) == 4


def test_the_name_is_no_plain_hash_of_the_id() -> None:
    assert SessionNames(b"k").name(ID) != SessionNames(b"").name(ID)


@given(st.binary(max_size=300), st.binary(max_size=64))
@examples(50)
def test_whatever_the_id_its_name_is_stable_and_looks_like_every_other(
    session_id: bytes, key: bytes
) -> None:
    name = SessionNames(key).name(session_id)
    assert re.fullmatch("[0-9a-f]{32}", name)
    assert SessionNames(key).name(session_id) == name


def test_an_id_is_nowhere_in_what_a_debugger_shows_of_its_names() -> None:
    names = SessionNames(b"k")
    names.name(ID)
    assert repr(names) == "<SessionNames 1 known>"


def test_the_memory_of_session_names_is_bounded() -> None:
    names = SessionNames(b"k")
    first = names.name(b"0")
    for number in range(10_000):
        names.name(b"%d" % number)
    assert len(names) <= 4096
    assert names.name(b"0") == first


def test_a_long_session_id_is_named_and_not_remembered() -> None:
    names = SessionNames(b"k")
    assert names.name(b"x" * 10_000) == names.name(b"x" * 10_000)
    assert len(names) == 0


def test_a_session_remembers_who_opened_it() -> None:
    sessions, caller = Sessions(), Caller("zed", "1")
    sessions.opened("a", caller)
    assert sessions.caller("a") is caller
    assert sessions.caller("b") is NOBODY
    assert sessions.caller(None) is NOBODY


def test_a_session_id_that_two_clients_were_given_tells_nobodys_name() -> None:
    """A server that hands out one id twice: whose a later request is, nobody can tell."""
    sessions = Sessions()
    sessions.opened("a", Caller("zed"))
    sessions.opened("a", Caller("goose"))
    assert sessions.caller("a").client is None


def test_a_client_that_opens_its_session_again_keeps_its_name() -> None:
    sessions = Sessions()
    sessions.opened("a", Caller("zed", revision="2025-03-26"))
    sessions.opened("a", Caller("zed", revision="2025-11-25"))
    assert (sessions.caller("a").client, sessions.caller("a").revision) == ("zed", "2025-11-25")
    assert len(sessions) == 1


def test_the_session_that_was_opened_first_is_forgotten_first() -> None:
    sessions = Sessions(limit=2)
    for name in ("a", "b", "a", "c"):
        sessions.opened(name, Caller(name))
    assert len(sessions) == 2
    assert sessions.caller("b") is NOBODY
    assert (sessions.caller("a").client, sessions.caller("c").client) == ("a", "c")


def test_a_hundred_thousand_sessions_are_known_and_no_more() -> None:
    """Bounded, and counted: what a server's sessions cost is some 30 MB, however many there are."""
    sessions, names, caller = Sessions(), SessionNames(b"k"), Caller("zed")
    tracemalloc.start()
    try:
        for number in range(120_000):
            sessions.opened(names.name(b"%d" % number), caller)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(sessions), sessions.evicted) == (100_000, 20_000)
    assert sessions.caller(names.name(b"119999")) is caller
    assert sessions.caller(names.name(b"0")) is NOBODY
    assert held < 30_000_000
