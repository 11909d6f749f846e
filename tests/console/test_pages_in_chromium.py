"""The pages in a real browser: no error, nothing from elsewhere, for all, keys, live tail."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from tests.console.site import Site, a_filled_store, console, hostile_calls, ten_calls
from tests.console.test_app import FIRST
from tests.events.building import an_event
from tests.scenarios.browser import find_browser
from tests.store.building import a_store

from mcpr.store.sqlite import Writer

WAIT_MS = 30_000
PATHS = [*FIRST, "/tool?tool=get_weather", "/diff?from=1&to=2", "/session?session=0123", "/nowhere"]
#: Those that are about what the page itself is, beside the rules of WCAG 2.2 AA.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=find_browser(),
            # A sandbox within a container's sandbox does not start; the only pages are ours.
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            env={**os.environ, "TZ": "UTC"},
        )
        yield found
        found.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    path = a_filled_store(folder / "s.db", [*ten_calls(), *hostile_calls()])
    with console(path) as site:
        yield site


class Watch:
    """A page that is watched. troubles: what it complained of, or asked of somebody else."""

    def __init__(
        self, browser: Browser, site: Site, scheme: str = "light", width: int = 1440
    ) -> None:
        self.site = site
        self.troubles: list[str] = []
        self.context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.page.on("console", lambda said: self.troubles.append(said.text))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", lambda request: self._look(request.url))

    def _look(self, url: str) -> None:
        if urlsplit(url).netloc != urlsplit(self.site.url).netloc:
            self.troubles.append(f"foreign: {url}")

    def open(self, path: str) -> Page:
        """Go there, and wait until it is quiet."""
        self.page.goto(f"{self.site.url}{path}", wait_until="networkidle")
        return self.page

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_clean_and_readable_by_all(
    path: str, scheme: str, browser: Browser, site: Site
) -> None:
    """No complaint of the browser, no foreign request, no finding of axe; hostile names or not."""
    with Watch(browser, site, scheme) as watch:
        page = watch.open(path)
        found = Axe().run(page, options=RULES).response["violations"]
        told = [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
        assert told == []
        for width in (1024, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        troubles = [text for text in watch.troubles if "404" not in text]
        assert troubles == []


def test_a_planted_violation_is_heard(browser: Browser, site: Site) -> None:
    """What is foreign or would make markup of text is refused by the browser, and we notice."""
    with Watch(browser, site) as watch:
        page = watch.open("/")
        page.evaluate("() => { new Image().src = 'https://a.example/x.png' }")
        page.wait_for_function(
            "() => { try { document.body.innerHTML = '<b>'; return false } catch { return true } }"
        )
        assert any("a.example" in text for text in watch.troubles)


def test_every_page_is_reached_by_keys(browser: Browser, site: Site) -> None:
    with Watch(browser, site) as watch:
        page = watch.open("/?since=7d")
        tabs = page.eval_on_selector_all("[data-go]", "all => all.map(one => one.dataset.go)")
        assert len(set(tabs)) == len(tabs) == len(FIRST)
        for key in tabs:
            page.keyboard.press("g")
            with page.expect_navigation():
                page.keyboard.press(key)
            assert page.locator('[data-go][aria-current="page"]').get_attribute("data-go") == key
            assert "since=7d" in page.url
        assert watch.troubles == []


def test_keys_find_the_filter_the_help_the_rows_and_the_time_before(
    browser: Browser, site: Site
) -> None:
    with Watch(browser, site) as watch:
        page = watch.open("/tools")
        page.keyboard.press("j")
        assert page.locator("tr[data-at]").count() == 1
        page.keyboard.press("/")
        page.keyboard.type("fore?g")
        assert page.locator("[data-filter]").input_value() == "fore?g"
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        assert page.locator("#help").is_visible()
        page.keyboard.press("Escape")
        with page.expect_navigation():
            page.keyboard.press("[")
        assert "until=" in page.url
        with page.expect_navigation():
            page.keyboard.press("]")
        assert "until=" not in page.url
        assert watch.troubles == []


def test_the_switch_between_light_and_dark_is_kept(browser: Browser, site: Site) -> None:
    with Watch(browser, site) as watch:
        page = watch.open("/latency")
        ground = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(ground)
        page.keyboard.press("d")
        dark = page.evaluate(ground)
        assert light != dark
        watch.open("/tools")
        assert page.evaluate(ground) == dark
        assert watch.troubles == []


def test_a_chosen_server_is_in_the_url_without_empty_fields(browser: Browser, site: Site) -> None:
    with Watch(browser, site) as watch:
        page = watch.open("/tools?tool=get_weather")
        with page.expect_navigation():
            page.locator("#server").select_option("weather")
        assert urlsplit(page.url).query == "tool=get_weather&server=weather"
        assert watch.troubles == []


def test_dragging_over_a_chart_looks_closer(browser: Browser, site: Site) -> None:
    with Watch(browser, site) as watch:
        page = watch.open("/latency?since=6h")
        box = page.locator('[data-chart="lines"] .u-over').bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 50)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 50, steps=5)
        with page.expect_navigation():
            page.mouse.up()
        assert "since=" in page.url
        assert "until=" in page.url
        assert watch.troubles == []


def test_the_log_follows_what_is_recorded(browser: Browser, tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", ten_calls())
    with console(path) as site, Watch(browser, site) as watch:
        page = watch.page
        page.goto(f"{site.url}/logs")
        page.keyboard.press(".")
        page.get_by_text("following").wait_for()
        with closing(Writer(path)) as writer:
            writer.write([an_event(tool="<b>brand_new</b>", detail=None)])
        page.get_by_text("<b>brand_new</b>").wait_for()
        assert page.locator("#log tbody tr").count() == 11
        assert "follow=1" in page.url
        page.keyboard.press(".")
        assert "follow=1" not in page.url
        assert watch.troubles == []
