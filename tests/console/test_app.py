"""Every page over HTTP: with nothing, with ten calls, with hostile names; headers; failures."""

import html.parser
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.console.site import (
    HOSTILE,
    NOW_MS,
    Site,
    a_filled_store,
    console,
    hostile_calls,
    serving,
    ten_calls,
)
from tests.store.building import a_store

from mcpr.console.app import CSP
from mcpr.console.pages import PAGES
from mcpr.errors import StoreError
from mcpr.store import EventStore
from mcpr.store.sqlite import SqliteEventStore

NEEDS = {
    "tool": "?tool=get_weather",
    "diff": "?from=1&to=2&list=tools",
    "error": "?group=GROUP",
    "session": "?session=0123456789ab",
}
PATHS = [f"{page.path}{NEEDS.get(page.name, '')}" for page in PAGES]
FIRST = [page.path for page in PAGES if page.in_tabs]


class Reader(html.parser.HTMLParser):
    """What a browser would make of a page. tags: each with its attributes; text: all of it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with console(a_filled_store(tmp_path_factory.mktemp("ten") / "s.db", ten_calls())) as site:
        yield site


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with console(a_store(tmp_path_factory.mktemp("empty") / "s.db")) as site:
        yield site


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path = a_filled_store(tmp_path_factory.mktemp("hostile") / "s.db", hostile_calls())
    with console(path) as site:
        yield site


def whole(site: Site, path: str) -> str:
    """The path with the name of a group that there is."""
    if "GROUP" not in path:
        return path
    return path.replace("GROUP", site.ask("/api/v1/errors").json["rows"][0]["id"])


@pytest.mark.parametrize("path", FIRST)
def test_every_page_shows_itself_with_nothing_recorded(path: str, empty: Site) -> None:
    answer = empty.ask(path)
    assert answer.status == 200
    assert "<h1>" in answer.text


def test_a_page_with_nothing_recorded_says_what_to_run(empty: Site) -> None:
    said = empty.ask("/").text
    assert "mcpr doctor" in said
    assert "Nothing has been recorded yet" in said


@pytest.mark.parametrize("path", PATHS)
def test_every_page_shows_itself_with_ten_calls(path: str, ten: Site) -> None:
    answer = ten.ask(whole(ten, path))
    assert answer.status == 200
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_no_page_has_anything_inline_or_of_another_origin(path: str, ten: Site) -> None:
    """P23: what a page loads is ours; the policy would stop it, and there is nothing to stop."""
    for tag, attributes in Reader(ten.ask(whole(ten, path)).text).tags:
        assert tag != "style"
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert tag != "script" or (attributes.get("src") or "").startswith("/static/")
        for name in ("src", "href", "action", "data-from"):
            target = attributes.get(name)
            assert target is None or target.startswith(("/", "#", "?")), (tag, target)
            assert not (target or "").startswith("//")


@pytest.mark.parametrize("path", FIRST)
def test_hostile_names_are_texts_on_every_page(path: str, hostile: Site) -> None:
    answer = hostile.ask(path)
    assert answer.status == 200
    page = Reader(answer.text)
    assert {tag for tag, _ in page.tags} & {"img"} == set()
    assert [tag for tag, told in page.tags if tag == "script" and "src" not in told] == []
    assert "\u202e" not in page.text
    assert "\x1b" not in page.text
    assert len(answer.text) < 200_000


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_in_the_url_is_a_text(name: str, ten: Site) -> None:
    answer = ten.ask(f"/logs?tool={name}&client={name}")
    assert answer.status == 200
    assert "<script>alert" not in answer.text
    assert "onerror=alert(1)>" not in answer.text.replace("&gt;", "")


def test_the_figures_of_the_overview_are_those_of_the_questions(ten: Site) -> None:
    """P15: a page shows what a question answers, and a question knows metadata alone."""
    text = Reader(ten.ask("/").text).text
    figures = {row["metric"]: row["value"] for row in ten.ask("/api/v1/summary").json["rows"]}
    assert figures["calls"] == 10
    assert figures["errors"] == 2
    assert "10" in text
    assert "20.0" in text
    assert "forecast" in text
    assert "never_called" in text


def test_every_answer_has_the_policy_and_is_not_kept(ten: Site) -> None:
    for path in ("/", "/tools", "/nowhere"):
        headers = ten.ask(path).headers
        assert headers["content-security-policy"] == CSP
        assert headers["cache-control"] == "no-store"
    assert "'unsafe" not in CSP
    assert "trusted-types 'none'" in CSP


def test_what_is_not_there_is_said_with_a_way_on(ten: Site) -> None:
    for path in ("/nowhere", "/error?group=0000", "/tool"):
        answer = ten.ask(path)
        assert answer.status == 404
        assert "What to do" in answer.text


@pytest.mark.parametrize(
    "query", ["since=yesterday", "outcome=splendid", "session=xyz", "limit=0", "since=1h&since=2h"]
)
def test_a_query_that_cannot_be_is_explained(query: str, ten: Site) -> None:
    answer = ten.ask(f"/logs?{query}")
    assert answer.status == 400
    assert "usage." in answer.text


def test_a_store_that_cannot_be_opened_is_said() -> None:
    def broken() -> EventStore:
        raise StoreError("cannot open the store s.db", "the disk is gone", "bring it back")

    with serving(broken) as site:
        answer = site.ask("/")
        assert answer.status == 503
        assert answer.headers["retry-after"] == "5"
        assert "The disk is gone" in answer.text or "the disk is gone" in answer.text


def test_a_table_sorts_and_pages_by_its_url(tmp_path: Path) -> None:
    from tests.events.building import an_event  # noqa: PLC0415

    events = [
        an_event(ts_ms=NOW_MS - 60_000, tool=f"tool{at:03d}", latency_us=1_000 + at)
        for at in range(120)
    ]
    with console(a_store(tmp_path / "s.db", events)) as site:
        first = Reader(site.ask("/tools?sort=tool").text).text
        assert "tool000" in first
        assert "tool050" not in first
        assert "1\N{EN DASH}50 of 120" in first
        last = Reader(site.ask("/tools?sort=tool&page=3").text).text
        assert "tool119" in last
        down = Reader(site.ask("/tools?sort=-tool").text).text
        assert down.index("tool119") < down.index("tool118")
        assert "tool119" in Reader(site.ask("/tools?page=99&sort=tool").text).text
        assert "tool000" in Reader(site.ask("/tools?sort=nothing").text).text


def test_the_log_leads_to_what_is_older_row_by_row(tmp_path: Path) -> None:
    with console(a_store(tmp_path / "s.db", ten_calls())) as site:
        seen: list[str] = []
        path: str | None = "/logs?limit=4"
        while path is not None:
            page = Reader(site.ask(path).text)
            ids = [told["title"] for tag, told in page.tags if tag == "span" and "title" in told]
            seen += [found for found in ids if found is not None and len(found) == 36]
            older = [told["href"] for tag, told in page.tags if told.get("rel") == "next"]
            path = f"/logs{older[0]}" if older else None
        assert len(seen) == len(set(seen)) == 10


def test_the_theme_is_kept_in_a_cookie(ten: Site) -> None:
    assert 'data-theme="dark"' in ten.ask("/", Cookie="mcpr_theme=dark").text
    assert "data-theme" not in ten.ask("/", Cookie='mcpr_theme="><script>').text


def test_a_page_is_of_one_moment_of_a_store_that_is_written(tmp_path: Path) -> None:
    """Opened for reading: the console writes nothing."""
    path = a_store(tmp_path / "s.db", ten_calls())
    with console(path) as site:
        assert site.ask("/").status == 200
    with SqliteEventStore(path) as store:
        assert store.last_seq() == 10
