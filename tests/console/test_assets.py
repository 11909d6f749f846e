"""console/assets: small, of this origin, as their makers published them."""

import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.console.site import Site, a_filled_store, console, ten_calls

from mcpr.console import assets

VENDOR = assets.FOLDER / "vendor"
LIST = VENDOR / "VENDORED.txt"
MOST_BYTES = 150_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with console(a_filled_store(tmp_path_factory.mktemp("assets") / "s.db", ten_calls())) as site:
        yield site


def test_what_others_made_is_listed_with_its_version_hash_and_license() -> None:
    listed = {
        match[1]: match[3]
        for match in re.finditer(
            r"^(\S+)  (\S+@\d+\.\d+\.\d+ \S+)  sha256:([0-9a-f]{64})$",
            LIST.read_text(),
            re.MULTILINE,
        )
    }
    there = {path.name for path in VENDOR.iterdir()} - {LIST.name}
    assert set(listed) == there
    for name, digest in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name
    assert "MIT License" in (VENDOR / "uplot.LICENSE.txt").read_text()


def test_all_that_any_page_loads_is_small() -> None:
    files = sum(len(asset.packed) for asset in assets.assets().values())
    assert files < MOST_BYTES / 2


def test_a_page_with_all_that_it_loads_is_small(site: Site) -> None:
    """At most 150 kB compressed for the heaviest page, data included."""
    files = sum(len(asset.packed) for asset in assets.assets().values())
    for path in ("/", "/latency", "/logs?since=7d"):
        page = site.ask(path)
        told = re.findall(r'data-from="(/api/[^"]+)"', page.text)
        data = sum(len(gzip.compress(site.ask(one).text.encode())) for one in told)
        assert len(gzip.compress(page.text.encode())) + files + data < MOST_BYTES


def test_a_file_asked_for_by_its_tag_may_be_kept_for_good(site: Site) -> None:
    link = assets.link("console.css")
    answer = site.ask(link)
    assert answer.status == 200
    assert "immutable" in answer.headers["cache-control"]
    assert site.ask(link, If_None_Match=answer.headers["etag"]).status == 304
    assert site.ask("/static/console.css?v=old").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2fapp.py", "vendor/VENDORED.txt", "nothing.css", "//etc/passwd"]
)
def test_nothing_else_is_served(name: str, site: Site) -> None:
    assert site.ask(f"/static/{name}").status == 404


def test_no_script_makes_markup_of_text() -> None:
    ours = [assets.FOLDER / name for name in ("console.js", "charts.js")]
    for path in ours:
        text = Path(path).read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|eval\(|new Function", text)
