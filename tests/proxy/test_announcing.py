"""proxy/announcing: a proxy says where it is; where it cannot, it goes on."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from mcpr.proxy.announcing import announced
from mcpr.serving.presence import present
from mcpr.settings import RunSettings, ask


def settings_of(db: Path, host: str = "127.0.0.1") -> RunSettings:
    variables = {"MCPR_DB": str(db), "MCPR_HOST": host}
    return ask("http://127.0.0.1:9/mcp", (), variables).read()[0]


def test_it_says_which_server_it_stands_before_and_where(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "s.db", "::1")
    with announced(settings, 3_000, "http://127.0.0.1:9901"):
        [here] = present(settings.db)
        assert here.url == "http://[::1]:3000/mcp"
        assert (here.upstream, here.server) == ("http://127.0.0.1:9/mcp", "127.0.0.1:9")
        assert here.admin == "http://127.0.0.1:9901"
    assert present(settings.db) == []


def test_after_a_reload_it_says_what_holds_now(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "s.db")
    longer = replace(settings, name="weather, and what is told of it")
    with announced(settings, 3_000, None) as announce:
        [before] = present(settings.db)
        for other in (longer, settings):
            announce(other)
            [here] = present(settings.db)
            assert here.server == other.name
            assert (here.since_ms, here.url) == (before.since_ms, before.url)


def test_without_a_place_for_the_file_it_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_of(tmp_path / "none" / "s.db")
    with caplog.at_level(logging.WARNING), announced(settings, 3_000, None) as announce:
        assert "will not find this proxy" in caplog.text
        announce(settings)
