"""The same search before proxies that are not as they should be: a leak turns it red.

Also the two ends that need a proxy of less patience, and our own mistakes, which must repeat
nothing of what was said.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.privacy import calls, unfinished
from tests.privacy.canaries import Canaries, Finding, find_address
from tests.privacy.messages import answer, call, post, result
from tests.privacy.stage import Scene, Stage
from tests.privacy.traces import MCPR, a_copy, proxy
from tests.privacy.wire import Client, Origin

PROGRAM = Path(__file__).with_name("altered_program.py")
PYTHON = MCPR.with_name("python")
ADDRESS = "127.7.7.7"
#: More than two sockets hold, so that somebody has to wait.
LARGE = 9_000_000

SCENES: tuple[Scene, ...] = (
    calls.a_session_begins,
    calls.a_plain_tool_is_called,
    calls.a_resource_is_read,
)


@dataclass(frozen=True)
class Altered:
    """What was left of a run. found: what must not be where it is."""

    found: set[Finding]
    rows: set[str]
    stderr: str


@contextmanager
def altered(name: str, folder: Path, *options: str) -> Iterator[tuple[Stage, list[Altered]]]:
    """A stage before a proxy with one thing altered; afterwards the list holds what was left."""
    origin = Origin()
    canaries = Canaries()
    left: list[Altered] = []
    command = (PYTHON, PROGRAM, name)
    with (
        proxy(folder / "run", origin.port, *options, command=command) as mcpr,
        closing(Stage(canaries, Client(mcpr.port, ADDRESS), origin)) as stage,
    ):
        yield stage, left
        if "mistake" in name:
            mcpr.wait_for_words("a planted mistake")
        else:
            mcpr.wait_for_rows(stage.rows.total())
        stage.client.close()
        traces = mcpr.traces()
        mcpr.drain()
        traces |= mcpr.files()
        with a_copy(mcpr.store, folder) as store:
            rows = {row for (row,) in store.execute("SELECT kind || ' ' || outcome FROM requests")}
        public, local = canaries.public, canaries.local
        found = {
            finding
            for finding in canaries.find(traces)
            if finding.place not in public
            and not (finding.place in local and finding.source.startswith("store/"))
        }
        found |= find_address(ADDRESS, traces)
        left.append(Altered(found, rows, traces["output/stderr"].decode()))


def play(name: str, folder: Path) -> Altered:
    """Play some scenes before a proxy with one thing altered."""
    with altered(name, folder, "--log", "pretty") as (stage, left):
        for scene in SCENES:
            scene(stage)
    return left[0]


def test_the_program_finds_nothing_when_nothing_is_altered(tmp_path: Path) -> None:
    assert play("nothing", tmp_path).found == set()


@pytest.mark.parametrize(
    ("leak", "place", "source", "form"),
    [
        ("arguments into error_text", "argument of a common call", "store/", "plain"),
        ("session id in place of its name", "session id", "store/", "plain"),
        ("arguments into the log", "argument of a common call", "output/stderr", "plain"),
        ("results into a file", "result of a common call", "cwd/answers", "base64"),
        ("arguments into a temporary file", "argument of a common call", "tmpdir/", "utf-16"),
        ("client address into the log", "address of the client", "output/stderr", "plain"),
        ("detail onto stderr", "path of a resource's URI", "output/stderr", "plain"),
        ("detail into the metrics", "URI of a subscription", "/metrics", "plain"),
        ("detail into the access log", "path of a resource's URI", "output/access.log", "plain"),
    ],
    ids=lambda value: value if " " in value else None,
)
def test_a_planted_leak_is_found(
    leak: str, place: str, source: str, form: str, tmp_path: Path
) -> None:
    found = play(leak, tmp_path).found
    assert any(
        finding.place == place and finding.source.startswith(source) and finding.form == form
        for finding in found
    ), found


@pytest.mark.parametrize("where", ["reading", "ending", "waiting"])
def test_a_mistake_of_ours_repeats_nothing_of_what_was_said(where: str, tmp_path: Path) -> None:
    """What a program prints of its own mistake often shows what it was working on."""
    with altered(f"a mistake while {where}", tmp_path) as (stage, left):
        plant = stage.plant
        params = {"name": "get_weather", "arguments": plant("argument")}
        asked = post(
            call("tools/call", params),
            b"Cookie: " + plant("cookie").encode(),
            b"Mcp-Session-Id: " + plant("session id").encode(),
            target=f"/{plant('path')}?k={plant('query')}",
        )
        large = result([plant("result"), "x" * LARGE])
        stage.begin(asked, answer(large, b"X-Custom: " + plant("answer header").encode()))
        stage.begin(asked).close()
    assert left[0].found == set()
    if where == "reading":
        assert "rpc internal" in left[0].rows


def test_nothing_is_kept_of_calls_that_nobody_answers(tmp_path: Path) -> None:
    with altered("little patience", tmp_path) as (stage, left):
        for scene in unfinished.LAST:
            scene(stage)
    assert left[0].rows == {"rpc timeout", "rpc unreachable"}
    assert left[0].found == set()
