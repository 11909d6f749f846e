"""settings/reading: a file, the environment and options become settings, or all that is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.settings.reading import SERVER, mistakes_of, settings_of

from mcpr.settings import Place, SettingsError
from mcpr.settings.reading import Given

HTTP_STEP = 'Write it as http://HOST:PORT/PATH, such as "http://localhost:9000/mcp".'

MISTAKES = {
    "an unknown key": ("prot = 1", "prot: there is no such key. Probably port is meant."),
    "a key of a table": (
        "exchanges = 1",
        "exchanges: there is no such key. It belongs into [limits].",
    ),
    "a key of the top": (
        "[log]\nport = 1",
        "log.port: there is no such key. It belongs at the top, above the first [table].",
    ),
    "an unknown table": ("[limts]", "limts: there is no such table. Probably limits is meant."),
    "a table for a key": ("[port]", "port: the value is a table where a whole number is needed."),
    "a key for a table": (
        "limits = 5",
        "limits: is a single value where one table is needed. Write its head as [limits], and",
    ),
    "one table for many": (
        '[server]\nmcp = "http://x"',
        "server: is one table where tables are needed. Write its head as [[server]], for there",
    ),
    "many tables for one": (
        "[[limits]]",
        "limits: is a list where one table is needed. Write its head as [limits], and its keys",
    ),
    "no number": (
        'port = "3000"',
        'port: "3000" is a text where a number is needed. Write it without quotes.',
    ),
    "too large": ("port = 65536", "port: 65536 is out of bounds. Write a whole number from 0 to"),
    "a flag for a number": ("port = true", "port: true is a flag where a whole number is needed."),
    "a number for a flag": (
        "[store]\ndetail = 1",
        "store.detail: 1 is a number where true or false is needed.",
    ),
    "no unit": (
        "[limits]\nwait_timeout = 5",
        'limits.wait_timeout: 5 has no unit. Write it with one, such as "5s".',
    ),
    "a size without a unit": (
        "[limits]\nrequest_size = 5",
        'limits.request_size: 5 has no unit. Write it with one, such as "5MiB".',
    ),
    "a wrong unit": (
        '[limits]\nwait_timeout = "5 minutes"',
        'limits.wait_timeout: "5 minutes" is not a duration. Write a number and one of ms, s, m,',
    ),
    "not even a byte": (
        '[limits]\nrequest_size = "0B"',
        'limits.request_size: "0B" is out of bounds. Write 1KiB to 1GiB.',
    ),
    "a misspelt word": (
        '[log]\nform = "jsn"',
        'log.form: "jsn" is none of pretty, json or off. Write one of them, probably "json".',
    ),
    "an item of a list": (
        'allowed_hosts = ["a",\n "http://b"]',
        'allowed_hosts[2]: "http://b" is not a host name. Give the name alone',
    ),
    "a date": ("name = 1979-05-27", "name: the value is a date or time where a text is needed."),
    "a name for an address": ('host = "example.com"', 'host: "example.com" is not an IP address'),
    "an open address": ('host = "0.0.0.0"', 'host: other machines reach "0.0.0.0", and no name'),
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_has_its_line_its_key_its_reason_and_the_next_step(text: str, said: str) -> None:
    (mistake,) = mistakes_of(f"{SERVER}{text}\n")
    line = text.count("\n") + 2
    if text.startswith(("[server]", "[[limits]]", "[port]", "[limts]")):
        line = 2
    assert mistake.startswith(f"mcpr.toml:{line}: {said}")


URLS = {
    "no scheme": ("localhost:9000/mcp", '"localhost:9000/mcp" has no scheme'),
    "another scheme": ("ftp://x", "\"ftp://x\" has the scheme 'ftp'"),
    "no host": ("http:///mcp", '"http:///mcp" names no host'),
    "a wrong port": ("http://x:99999", '"http://x:99999" is not a URL: Port out of range 0-65535'),
    "a query": ("http://x?token=abc", "the value has a query or a fragment"),
    "a password": ("http://me:secret@x", "the value has credentials, and URLs are shown in logs"),
    "a password and a wrong port": ("http://me:secret@x:p", "the value is not a URL"),
}


@pytest.mark.parametrize(("url", "said"), URLS.values(), ids=URLS)
def test_a_url_that_cannot_be_is_refused_and_no_secret_of_it_is_repeated(
    url: str, said: str
) -> None:
    (mistake,) = mistakes_of(f'mcp = "{url}"')
    assert mistake.startswith(f"mcpr.toml:1: mcp: {said}")
    assert "secret" not in mistake
    assert "abc" not in mistake


def test_every_mistake_is_named_in_one_run_in_the_order_of_the_file() -> None:
    text = 'prot = 1\nname = no quotes\nhost = "nowhere"\n[limits]\nexchanges = 0\n[log]\nx = 1\n'
    said = mistakes_of(text)
    assert [each.split(": ")[0] for each in said] == [
        f"mcpr.toml:{line}" for line in (1, 2, 3, 5, 7)
    ]


def test_a_file_without_a_server_says_so_but_not_if_a_line_could_not_be_read() -> None:
    (mistake,) = mistakes_of("port = 1")
    assert mistake.startswith("mcpr.toml:1: mcp: no MCP server is named. Write mcp = ")
    (mistake,) = mistakes_of("mcp = http://x")
    assert mistake.startswith("mcpr.toml:1: mcp: the value is no text in quotes")


def test_a_server_needs_a_url_and_may_be_named_only_once() -> None:
    assert mistakes_of('[[server]]\nname = "a"')[0].startswith(
        "mcpr.toml:1: server[1]: needs the key mcp. Add mcp = "
    )
    (both,) = mistakes_of(f'{SERVER}[[server]]\nmcp = "http://x"')
    assert both.startswith("mcpr.toml:2: server: a server is named here and by `mcp` at the top.")
    (two,) = mistakes_of('[[server]]\nmcp = "http://x"\n[[server]]\nmcp = "http://y"')
    assert two.startswith("mcpr.toml:1: server: there is more than one.")


def test_limits_of_a_server_are_the_common_ones_where_it_says_nothing() -> None:
    settings = settings_of(
        '[limits]\nexchanges = 7\nstreams = 8\n[[server]]\nmcp = "http://x"\n'
        "[server.limits]\nstreams = 9\n"
    )
    (server,) = settings.server
    assert server.limits is not None
    assert (server.limits.exchanges, server.limits.streams) == (7, 9)
    assert (settings.limits.exchanges, settings.limits.streams) == (7, 8)


def test_the_command_line_beats_the_environment_and_that_the_file() -> None:
    option = Given(("port",), 3, Place("--port", order=0))
    variable = Given(("port",), "2", Place("MCPR_PORT", order=1))
    assert settings_of(f"{SERVER}port = 1").port == 1
    assert settings_of(f"{SERVER}port = 1", variable).port == 2
    assert settings_of(f"{SERVER}port = 1", option, variable).port == 3
    assert settings_of(SERVER, variable, option).port == 3


def test_what_is_beaten_is_checked_all_the_same() -> None:
    option = Given(("port",), 3, Place("--port", order=0))
    variable = Given(("port",), "x", Place("MCPR_PORT", order=1))
    assert mistakes_of(f"{SERVER}port = -1", option, variable)[0].startswith(
        "mcpr.toml:2: port: -1"
    )


def test_a_wrong_variable_is_named_by_its_own_name() -> None:
    variable = Given(("limits", "exchanges"), "x", Place("MCPR_LIMITS_EXCHANGES", order=1))
    (said,) = mistakes_of(SERVER, variable)
    assert said.startswith('MCPR_LIMITS_EXCHANGES: "x" is not a whole number.')


def test_values_put_in_are_read_as_the_key_needs_them_and_never_repeated(tmp_path: Path) -> None:
    text = f'{SERVER}port = "${{PORT}}"\nallowed_hosts = ["${{NAME:-a.example}}"]\n'
    settings = settings_of(text, variables={"PORT": "17"})
    assert (settings.port, settings.allowed_hosts) == (17, ("a.example",))
    (tmp_path / "port").write_text("hunter2\n")
    (said,) = mistakes_of(f'{SERVER}port = "${{file:port}}"\n', folder=tmp_path)
    assert said.startswith("mcpr.toml:2: port: the value is not a whole number.")


KEYS = st.sampled_from(
    ["mcp", "port", "host", "name", "limits", "store", "log", "server", "exchanges", "form", "x y"]
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
TREES = st.recursive(
    PLAIN | st.sampled_from(["${X}", "${", "5MiB", "30s", "http://x", "json", "$${", "${file:/}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def toml_of(value: object) -> str:
    """The value as TOML; what TOML cannot say becomes a text."""
    if isinstance(value, dict):
        inner = ", ".join(f"{toml_of(key)} = {toml_of(each)}" for key, each in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml_of, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) < 2**63:
        return str(value)
    text = "".join(f"\\U{ord(letter):08x}" for letter in str(value) if letter.isprintable())
    return f'"{text}"'


def places_of_mistakes(content: bytes) -> list[Place]:
    try:
        settings_of(content)
    except SettingsError as error:
        return [mistake.place for mistake in error.mistakes] or [Place("nowhere")]
    return []


@given(st.dictionaries(KEYS, TREES, max_size=6), st.binary(max_size=8), st.integers(0, 400))
def test_any_text_gives_settings_or_mistakes_with_a_line_in_it(
    tree: dict[str, object], noise: bytes, at: int
) -> None:
    """We chose it: whatever is in the file, the person hears where to look."""
    text = "".join(f"{toml_of(key)} = {toml_of(value)}\n" for key, value in tree.items()).encode()
    content = text[:at] + noise + text[at:]
    lines = content.count(b"\n") + 1
    for place in places_of_mistakes(content):
        assert place.line is not None
        assert 1 <= place.line <= lines
