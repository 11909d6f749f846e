"""console/live: rows as they are committed, resumed by their id, sampled when too many."""

import contextlib
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.console.site import Site, console, ten_calls
from tests.events.building import many
from tests.store.building import a_store

from mcpr.console import live
from mcpr.store.sqlite import Writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return a_store(tmp_path / "s.db", ten_calls())


@pytest.fixture
def site(path: Path) -> Iterator[Site]:
    with console(path) as site:
        yield site


def messages(site: Site, path: str, count: int, **headers: str) -> list[dict[str, str]]:
    """The first messages of a stream."""
    found: list[dict[str, str]] = []
    now: dict[str, str] = {}
    with site.stream(path, **headers) as answer:
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        while len(found) < count:
            line = answer.readline().decode().rstrip("\n")
            assert not answer.isclosed()
            if line:
                name, _, value = line.partition(": ")
                now[name] = value
            elif now:
                found.append(now)
                now = {}
    return found


def test_what_was_committed_after_the_page_comes(site: Site, path: Path) -> None:
    hello, news = messages(site, "/logs/live?after=7", 2)
    assert (hello["id"], hello["data"]) == ("7", "[]")
    assert news["id"] == "10"
    rows = json.loads(news["data"])
    assert len(rows) == 3
    assert {len(cells) for cells in rows} == {12}
    with closing(Writer(path)) as writer:
        writer.write(many(2))
    _, later = messages(site, "/logs/live?after=10", 2)
    assert later["id"] == "12"


def test_a_page_goes_on_after_the_last_row_that_it_had(site: Site) -> None:
    hello, news = messages(site, "/logs/live?after=1", 2, Last_Event_ID="9")
    assert hello["id"] == "9"
    assert len(json.loads(news["data"])) == 1


def test_the_filter_of_the_page_holds(site: Site) -> None:
    _, news = messages(site, "/logs/live?after=0&tool=forecast", 2)
    assert len(json.loads(news["data"])) == 1


def test_more_than_a_person_can_read_is_a_sample_that_says_so(site: Site, path: Path) -> None:
    with closing(Writer(path)) as writer:
        writer.write(many(400))
    _, news, sampled = messages(site, "/logs/live?after=0", 3)
    shown = len(json.loads(news["data"]))
    assert shown == live.MOST_ROWS
    assert (sampled["event"], int(sampled["data"])) == ("sampled", 410 - shown)


def test_more_followers_than_there_may_be_are_sent_away(site: Site) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(live.MOST_FOLLOWERS):
            stack.enter_context(site.stream("/logs/live?after=0")).readline()
        refused = site.ask("/logs/live?after=0")
    assert refused.status == 503
    assert refused.headers["retry-after"] == "30"


@pytest.mark.parametrize("query", ["after=-1", "after=x", "outcome=x", "colour=red"])
def test_a_wrong_query_is_a_problem(query: str, site: Site) -> None:
    answer = site.ask(f"/logs/live?{query}")
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
