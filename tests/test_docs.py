"""The documentation against the house: what it names exists, and what exists is named."""

import asyncio
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args
from urllib.parse import unquote

import pytest

from mcpr.cli import COMMANDS
from mcpr.dataplane import Address, Pool
from mcpr.dataplane.handler import Ending
from mcpr.dataplane.refusals import REFUSALS
from mcpr.events import Ids
from mcpr.pipeline import outcomes
from mcpr.pipeline.exchange import Recording
from mcpr.pipeline.guard import Guard
from mcpr.pipeline.identity import SessionNames
from mcpr.protocol.http1 import Heads
from mcpr.protocol.http1.head import _ROLES
from mcpr.protocol.limits import Limits
from mcpr.proxy.handler import ProxyHandler
from mcpr.settings.fields import keys_of
from mcpr.settings.tables import limits as settings

ROOT = Path(__file__).resolve().parent.parent

#: What git does not keep either, and what is only kept by git.
UNTRACKED = {
    *(".git", ".venv", ".scratch", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"),
    *("__pycache__", "node_modules", "build", "dist", ".build", ".rust"),
}

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)[^)]*\)")
HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)

#: What gives away the machine or the network that a file was written on.
FOREIGN = {
    "a path of somebody's machine": re.compile(r"(?<![\w.~-])/(?:root|work|home/[a-z]\w*)/"),
    "a package registry": re.compile(
        r"(?:index-url|find-links)\s*[= ]\s*(?:http|file|/)|"
        r"//[^\s\"'/]+/(?:[^\s\"']*/)?simple(?:/|\b)|//registry\.|\"resolved\":\s*\"http"
    ),
    # A reader of the project does not have the papers it was planned on.
    "a page outside the project": re.compile(r"\b(?:DESIGN|PRODUCT|STYLE)\.md\b"),
    "a conflict marker": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
}


def tracked_files() -> Iterator[Path]:
    """The files that belong to the project. Git may be absent, so it is not asked."""
    folders = [ROOT]
    while folders:
        for path in sorted(folders.pop().iterdir()):
            if path.name in UNTRACKED or path.name.endswith(".egg-info"):
                continue
            if path.is_dir():
                folders.append(path)
            elif path.is_file():
                yield path


#: One page: what fits on a screen or two.
ADR_LINES = 70

FILES = list(tracked_files())
PAGES = [path for path in FILES if path.suffix == ".md"]


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(text: str) -> set[str]:
    """The anchors that a page's headings get on GitHub."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in HEADING.findall(text)
    }


def broken_links(page: Path) -> list[str]:
    """The relative links of a page that lead nowhere."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    broken = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            broken.append(link)
    return broken


def foreign_words(text: str) -> list[str]:
    """What of a file's text gives away where it was written."""
    return [
        f"{what}: {found[0]}" for what, form in FOREIGN.items() for found in form.finditer(text)
    ]


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A `b` heading!\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md) [b](other.md#a-b-heading) [c](#here) [d](gone.md) [e](other.md#gone)\n"
        "[f](https://example.com/gone) [g](gone.png 'title')\n# Here\n```\n[h](gone.md)\n```\n"
    )
    assert broken_links(page) == ["gone.md", "other.md#gone", "gone.png"]


def test_every_command_stands_in_the_reference() -> None:
    reference = (ROOT / "docs/reference/cli.md").read_text()
    missing = [
        name for name in COMMANDS if not re.search(rf"\bmcpr {re.escape(name)}\b", reference)
    ]
    assert missing == []


def test_every_room_stands_in_the_architecture() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    rooms = {
        path.name.removesuffix(".py")
        for path in (ROOT / "src/mcpr").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"__init__", "__main__"}
    assert {room for room in rooms if f"`{room}`" not in page} == set()


def test_every_page_of_docs_can_be_reached_from_its_index() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "docs/index.md"]
    while waiting:
        page = waiting.pop()
        if page.is_dir():  # a link to a folder leads to all its pages
            waiting += page.glob("*.md")
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        names = (unquote(link).partition("#")[0] for link in LINK.findall(page.read_text()))
        waiting += [(page.parent / name).resolve() for name in names if name and ":" not in name]
    unreached = {shown(page) for page in PAGES if page.is_relative_to(ROOT / "docs")} - {
        shown(page) for page in reached
    }
    assert unreached == set()


def test_every_verb_of_make_is_explained_to_contributors() -> None:
    verbs = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    page = (ROOT / "CONTRIBUTING.md").read_text()
    assert [verb for verb in verbs if f"`make {verb}`" not in page] == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = {}
    for path in FILES:
        try:
            found[shown(path)] = foreign_words(path.read_text())
        except UnicodeDecodeError:  # an image or another binary file
            continue
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    "text",
    [
        "see /" + "root/notes",
        "cd /" + "work/main",
        "'/" + "home/jo/mcpr'",
        "--index" + "-url http://10.0.0.1/pypi",
        "https://" + "packages.example/simple/",
        "as DESIGN" + ".md says",
        '"resolved":' + ' "https://packages.example/left-pad.tgz"',
        "https://" + "registry.example.org/x",
    ],
)
def test_a_planted_machine_or_registry_is_found(text: str) -> None:
    assert len(foreign_words(text)) == 1


def test_the_license_is_apache_2_and_goes_into_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (ROOT / "LICENSE").read_text()
    assert project["license"] == "Apache-2.0"
    assert project["license-files"] == ["LICENSE"]
    assert re.match(r"\s*Apache License\s+Version 2\.0, January 2004", text)


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text()


def test_every_decision_stands_in_the_list_of_decisions() -> None:
    folder = ROOT / "docs/adr"
    listed = re.findall(
        r"^\| \[(\d{4})\]\((\1-[a-z0-9-]+\.md)\) \|",
        (folder / "README.md").read_text(),
        re.MULTILINE,
    )
    files = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [name for _, name in listed] == files
    assert [number for number, _ in listed] == [f"{i:04}" for i in range(1, len(files) + 1)]


@pytest.mark.parametrize("page", sorted((ROOT / "docs/adr").glob("[0-9]*.md")), ids=shown)
def test_a_decision_is_one_page_with_all_its_parts(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.name[:4]} · ")
    assert "\n**Status:** " in text
    parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequences", "Rejected"]
    assert len(text.splitlines()) <= ADR_LINES


def test_every_decision_that_the_code_names_exists() -> None:
    numbers = {path.name[:4] for path in (ROOT / "docs/adr").glob("[0-9]*.md")}
    named = {
        number
        for path in FILES
        if path.suffix in {".py", ".sql", ".c", ".lua"}
        for number in re.findall(r"\bADR (\d{4})\b", path.read_text())
    }
    assert named <= numbers


def test_every_limit_stands_in_its_page_with_its_default() -> None:
    page = (ROOT / "docs/topics/limits.md").read_text()
    listed = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page, re.MULTILINE))
    keys = dict(keys_of(settings.Limits))
    assert "(`drain_timeout`)" in page
    del keys["drain_timeout"]
    assert {
        name: keys[name].kind.read_text(said.replace(",", "")) for name, said in listed.items()
    } == {name: key.default for name, key in keys.items()}


#: How an exchange ends without an answer of ours.
SILENT = {"complete", "gone", "stopped"}


def test_every_answer_of_our_own_stands_in_the_reference() -> None:
    """Its status and its row in the record, and a section that says what to do."""
    page = (ROOT / "docs/reference/errors.md").read_text()
    rows = re.findall(
        r"^\| \[`(\w+)`\]\(#\1\) \| ([\d ]+) \| `(\w+)`, `(\w+)` \|", page, re.MULTILINE
    )
    assert {name for name, *_ in rows} == {*get_args(Ending)} - SILENT
    for name, statuses, outcome, origin in rows:
        verdict = outcomes.ENDINGS[name]
        assert (outcome, origin) == (verdict.outcome, verdict.origin)
        if name in REFUSALS:
            assert statuses == str(REFUSALS[name].status)
    sections = re.findall(r"^### `(\w+)`$", page, re.MULTILINE)
    assert sections == [name for name, *_ in rows]


#: Names beside those that mean something to a proxy: a sample of what must cross.
END_TO_END = (
    *(b"Accept", b"Accept-Encoding", b"Authorization", b"Cookie", b"Set-Cookie", b"Content-Type"),
    *(b"Mcp-Session-Id", b"MCP-Protocol-Version", b"Mcp-Method", b"Last-Event-ID", b"Origin"),
    *(b"WWW-Authenticate", b"Trailer", b"Via", b"Date", b"Server", b"traceparent", b"X-Whatever"),
)
VALUES = {
    b"expect": b"100-continue",
    b"transfer-encoding": b"chunked",
    b"content-length": b"2",
    b"connection": b"keep-alive",
    b"origin": b"http://localhost",
}
FIRST_LINES = {"requests": b"POST /mcp HTTP/1.1", "answers": b"HTTP/1.1 200 OK"}


def _listed_fields(page: str, section: str) -> set[bytes]:
    """The names in the first column of a section's table, in lower case."""
    body = page.partition(f"## Fields of {section}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", body, re.MULTILINE)
    return {name.lower().encode() for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def _passed_on(handler: ProxyHandler, section: str, name: bytes) -> bytes:
    """The head that goes on when one comes that has this field."""
    lines = [FIRST_LINES[section], name + b": " + VALUES.get(name.lower(), b"planted")]
    if section == "requests" and name.lower() != b"host":
        lines.append(b"Host: localhost")
    heads = Heads(max_line=1000, max_fields=10)
    data = b"\r\n".join([*lines, b"", b""])
    if section == "answers":
        return handler.plan_answer(heads.response(data)).lines
    return handler.plan_request(heads.request(data)).forward


@pytest.mark.parametrize("section", ["requests", "answers"])
def test_what_does_not_cross_the_proxy_is_what_the_page_says(section: str) -> None:
    page = (ROOT / "docs/topics/transparency.md").read_text()
    recording = Recording("s", lambda _: None, Ids(lambda _: 1))
    guard = Guard(frozenset(), loopback=True)
    handler = ProxyHandler(recording, guard, SessionNames(b"k" * 32), "upstream.example", 1.0)
    stopped = set()
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        handler.pool = Pool(Address("127.0.0.1", 9), Limits(), handler, loop)
        for name in (*_ROLES, *END_TO_END):
            line = name + b": " + VALUES.get(name.lower(), b"planted") + b"\r\n"
            if line not in _passed_on(handler, section, name):
                stopped.add(name.lower())
    assert stopped == _listed_fields(page, section)
