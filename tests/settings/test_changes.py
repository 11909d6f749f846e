"""settings/changes: what differs between two files, and what a reload does about it."""

import pytest
from tests.settings.reading import SERVER, settings_of

from mcpr.settings.changes import changes

CHANGES = {
    "nothing": ("port = 3000", "", []),
    "a key at the top": ("port = 1", "port = 2", [("port", False)]),
    "a key of a table": (
        "[limits]\nexchanges = 1",
        "[limits]\nexchanges = 2\n[admin]\nlisten = 'off'",
        [("limits.exchanges", True), ("admin.listen", False)],
    ),
    "a table comes": ("", "[csp]", [("csp", True)]),
    "within it": ("[csp]", "[csp.connect]\nmode = 'replace'", [("csp.connect.mode", True)]),
}


@pytest.mark.parametrize(("old", "new", "found"), CHANGES.values(), ids=CHANGES)
def test_a_difference_is_named_by_its_key(
    old: str, new: str, found: list[tuple[str, bool]]
) -> None:
    assert list(changes(settings_of(SERVER + old), settings_of(SERVER + new))) == found


def test_a_server_in_its_long_form_is_compared_key_by_key() -> None:
    one = settings_of('[[server]]\nmcp = "http://a"\n')
    other = settings_of('[[server]]\nmcp = "http://b"\n[server.limits]\nexchanges = 1\n')
    assert [change.key for change in changes(one, other)] == [
        "server[1].mcp",
        "server[1].limits.exchanges",
    ]
    short = settings_of('mcp = "http://a"')
    assert [change.key for change in changes(one, short)] == ["mcp", "server"]
    assert all(change.reload for change in changes(one, short))
