"""What each host makes of a policy."""

from mcpr.pipeline.csp import HOSTS, Policy, content_security_policy

POLICY: Policy = {
    "connect": ("https://a.example", "http://b.example", "wss://c.example"),
    "resource": ("https://r.example",),
    "frame": ("https://f.example",),
    "base_uri": ("https://u.example",),
    "redirect": ("https://never.example",),
}


def policy_in(host: str, policy: Policy = POLICY) -> dict[str, list[str]]:
    text = content_security_policy(policy, HOSTS[host])
    return {words[0]: words[1:] for words in map(str.split, text.split(";"))}


def test_the_standard_mapping_is_that_of_the_specification() -> None:
    """Source: MCP Apps, draft, mapping of the directives."""
    assert policy_in("standard") == {
        "default-src": ["'none'"],
        "script-src": ["'self'", "'unsafe-inline'", "https://r.example"],
        "style-src": ["'self'", "'unsafe-inline'", "https://r.example"],
        "img-src": ["'self'", "data:", "https://r.example"],
        "media-src": ["'self'", "data:", "https://r.example"],
        "font-src": ["'self'", "https://r.example"],
        "connect-src": ["'self'", "https://a.example", "http://b.example", "wss://c.example"],
        "frame-src": ["https://f.example"],
        "base-uri": ["https://u.example"],
        "object-src": ["'none'"],
    }


def test_a_policy_of_nothing_allows_nothing() -> None:
    policy = policy_in("standard", {})
    assert policy["connect-src"] == policy["base-uri"] == policy["font-src"] == ["'self'"]
    assert policy["frame-src"] == policy["object-src"] == policy["default-src"] == ["'none'"]


def test_claude_drops_what_is_not_encrypted_and_shows_no_frames() -> None:
    policy = policy_in("claude")
    assert policy["connect-src"] == ["'self'", "https://a.example", "wss://c.example"]
    assert policy["frame-src"] == ["'none'"]
    assert "https://esm.sh" in policy["script-src"]


def test_chatgpt_adds_its_libraries() -> None:
    assert "https://unpkg.com" in policy_in("chatgpt")["script-src"]
    assert policy_in("vscode") == policy_in("standard")


def test_what_is_no_origin_reaches_no_policy() -> None:
    """Neither a keyword nor a second directive can be smuggled in."""
    policy = {"connect": ("'unsafe-eval'", "a.example", "https://a; script-src *", "*", "data:")}
    assert policy_in("standard", policy)["connect-src"] == ["'self'"]  # type: ignore[arg-type]
