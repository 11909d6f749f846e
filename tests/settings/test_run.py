"""settings/run: what `mcpr run` is to do, by its argument, the environment and the options."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from mcpr.errors import UsageError
from mcpr.settings import RunSettings, SettingsError, ask
from mcpr.settings.sources import from_options

URL = "http://localhost:9000/mcp"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings(argument: str | None, variables: Mapping[str, str] | None = None) -> RunSettings:
    return ask(argument, (), variables or {}).read()[0]


def test_a_url_is_enough_and_no_file_is_read(here: Path) -> None:
    (here / "mcpr.toml").write_text("port = 1\nno toml")
    got = settings(URL)
    assert (str(got.upstream), got.port, got.host) == (URL, 3000, "127.0.0.1")
    assert (got.name, got.log, got.admin, got.detail) == ("localhost:9000", "pretty", None, True)
    assert got.asked is not None
    assert got.asked.file is None


def test_a_file_is_read_by_its_name_by_a_variable_or_because_it_is_here(here: Path) -> None:
    (here / "other").write_text(f'mcp = "{URL}"\nport = 1\n')
    (here / "mcpr.toml").write_text(f'mcp = "{URL}"\nport = 2\n')
    assert settings("other").port == 1
    assert settings(None).port == 2
    assert settings(None, {"MCPR_CONFIG": "other"}).port == 1
    assert settings("mcpr.toml", {"MCPR_CONFIG": "other"}).port == 2


@pytest.mark.usefixtures("here")
def test_a_variable_may_name_the_server_without_any_file() -> None:
    assert str(settings(None, {"MCPR_MCP": URL}).upstream) == URL


@pytest.mark.usefixtures("here")
def test_without_a_server_the_person_hears_what_to_give() -> None:
    with pytest.raises(UsageError, match=r"there is no mcpr\.toml here") as refused:
        settings(None)
    assert "mcpr init" in refused.value.next_step


@pytest.mark.usefixtures("here")
def test_a_toml_that_is_not_there_is_a_file_all_the_same() -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        settings("gone.toml")


def test_the_names_that_may_call_are_those_allowed_and_the_public_one(here: Path) -> None:
    (here / "mcpr.toml").write_text(
        f'mcp = "{URL}"\nhost = "::"\npublic_url = "https://[2001:db8::2]/x"\n'
        'allowed_hosts = ["A.example"]\n'
    )
    got = settings(None)
    assert got.allowed_hosts == {"a.example", "[2001:db8::2]"}
    assert not got.is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "::ffff:127.0.0.1"])
def test_a_loopback_address_needs_no_names(host: str) -> None:
    assert settings(URL, {"MCPR_HOST": host}).is_loopback


def test_the_store_is_that_of_the_option_the_newer_variable_the_older_one_or_the_file(
    here: Path,
) -> None:
    (here / "mcpr.toml").write_text(f'mcp = "{URL}"\n[store]\npath = "~/file.db"\n')
    assert settings(None).db == Path("~/file.db").expanduser()
    assert settings(None, {"MCPR_DB": "/a"}).db == Path("/a")
    assert settings(None, {"MCPR_DB": "/a", "MCPR_STORE_PATH": "/b"}).db == Path("/b")
    given = from_options({"--db": (("store", "path"), "/c")})
    assert ask(None, given, {"MCPR_STORE_PATH": "/b"}).read()[0].db == Path("/c")


def test_limits_of_the_file_reach_the_data_plane(here: Path) -> None:
    (here / "mcpr.toml").write_text(
        '[limits]\nhead_size = "9KiB"\nexchanges = 5\ndrain_timeout = "1s"\n'
        f'[[server]]\nmcp = "{URL}"\nname = "w"\nlimits = {{ exchanges = 6 }}\n'
    )
    got = settings(None)
    assert (got.limits.head_bytes, got.limits.exchanges) == (9 * 1024, 6)
    assert (got.drain_seconds, got.name) == (1.0, "w")


def test_asking_again_reads_the_file_again(here: Path) -> None:
    file = here / "mcpr.toml"
    file.write_text(f'mcp = "{URL}"\nname = "one"\n')
    asked = ask(None, (), {})
    assert asked.read()[0].name == "one"
    file.write_text(f'mcp = "{URL}"\nname = "two"\n')
    assert asked.read()[0].name == "two"
