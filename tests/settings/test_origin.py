"""settings/origin: an origin as people write it becomes what browsers send."""

import pytest

from mcpr.settings.kinds import BadValue
from mcpr.settings.origin import Origin


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("HTTPS://App.Example.com/", "https://app.example.com"),
        ("https://app.example.com:443", "https://app.example.com"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("https://localhost:80", "https://localhost:80"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://[::1]", "http://[::1]"),
        ("vscode-webview://abc", "vscode-webview://abc"),
        ("*", "*"),
    ],
)
def test_an_origin_is_read_as_browsers_write_it(text: str, origin: str) -> None:
    assert Origin().read_text(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "app.example.com",
            "https://",
            "https:app.example.com",
            "null",
            "https://*.example.com",
        ),
        *("https://app.example.com/path", "https://app.example.com?q", "https://app.example.com#f"),
        *("https://jo@app.example.com", "https://app.example.com:port", "https://a b.example"),
        *("https://app.example.com:99999", "http://[::1", "https://app.example.com, https://b.c"),
        *("https://føø.example", "https://a\r\nX-Evil: 1"),
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(BadValue) as refused:
        Origin().read_text(text)
    assert "https://app.example.com" in refused.value.next_step
