"""settings/tables/csp: what the operator says of widgets, and the rules that it means."""

from pathlib import Path

import pytest
from tests.settings.reading import SERVER, mistakes_of

from mcpr.pipeline.csp import CspRules, Sources, WidgetRule
from mcpr.settings import ask

A, B = "https://a.example", "https://*.b.example:8443"


def rules(folder: Path, text: str) -> CspRules | None:
    file = folder / "mcpr.toml"
    file.write_text('mcp = "http://localhost:9000/mcp"\n' + text)
    return ask(str(file), (), {}).read()[0].csp


def test_without_the_table_nothing_is_rewritten(tmp_path: Path) -> None:
    assert rules(tmp_path, "") is None


def test_an_empty_table_is_enough(tmp_path: Path) -> None:
    found = rules(tmp_path, "[csp]\n")
    assert found is not None
    assert found.upstream_host == "localhost"
    assert found.sources["connect"] == Sources((), "extend")
    assert found.sources["frame"] == Sources((), "replace")
    assert found.public_origin is None


def test_every_key_is_heard(tmp_path: Path) -> None:
    found = rules(
        tmp_path,
        f"""
        public_url = "https://mcp.example.com"
        [csp]
        domain = "widgets.example.com"
        [csp.connect]
        domains = ["{A}", "{B}"]
        [csp.frame]
        domains = ["{A}"]
        mode = "extend"
        [[csp.widget]]
        match = "ui://shop/*"
        connect = []
        redirect = ["{A}"]
        mode = "replace"
        [[csp.widget]]
        match = "*"
        base_uri = ["{A}"]
        """,
    )
    assert found is not None
    assert found.domain == "widgets.example.com"
    assert found.public_url == "https://mcp.example.com/mcp"
    assert found.sources["connect"] == Sources((A, B), "extend")
    assert found.sources["frame"] == Sources((A,), "extend")
    assert found.widgets == (
        WidgetRule(
            "ui://shop/*", {"connect": Sources((), "replace"), "redirect": Sources((A,), "replace")}
        ),
        WidgetRule("*", {"base_uri": Sources((A,), "extend")}),
    )


def test_the_public_urls_own_path_is_kept(tmp_path: Path) -> None:
    found = rules(tmp_path, 'public_url = "https://mcp.example.com/x/mcp"\n[csp]\n')
    assert found is not None
    assert found.public_url == "https://mcp.example.com/x/mcp"


NO_ORIGINS = [
    "a.example",
    "https://a.example/path",
    "https://a.*.example",
    "'self'",
    "*",
    "https://",
    "ftp://a.example",
]


@pytest.mark.parametrize("source", NO_ORIGINS)
def test_what_is_no_origin_is_a_mistake(source: str) -> None:
    (mistake,) = mistakes_of(f'{SERVER}[csp.connect]\ndomains = ["{source}"]\n')
    assert "line 3" in mistake or ":3" in mistake
    assert "an origin" in mistake


def test_other_mistakes_are_told_too() -> None:
    told = mistakes_of(
        f'{SERVER}[csp]\ndomain = "localhost"\n[csp.frames]\n[csp.frame]\nmode = "override"\n'
        "[[csp.widget]]\nconnect = []\n"
    )
    text = "\n".join(told)
    assert "is no public host" in text
    assert "Probably csp.frame is meant" in text
    assert '"override" is none of' in text
    assert "needs the key match" in text
    assert len(told) == 4
