"""The rules of the house, on the house; and each rule on a made-up source that breaks it."""

import re
import tomllib
from pathlib import Path

import pytest
from tests import architecture

ROOT = Path(__file__).resolve().parent.parent

#: What is over the size budget, for a reason. The list only shrinks.
OVERSIZE = frozenset(
    {
        # A plain record: one keyword for each thing that a head decides. A dataclass would cost
        # every head that is planned, and its callers would look the same.
        "src/mcpr/dataplane/handler.py::RequestPlan.__init__",
    }
)

#: Where everything may be caught: at the edge of a thread, a callback of the event loop, a process.
RESCUES = frozenset(
    {
        "dataplane/client.py::Client.data_received",
        "dataplane/pool.py::Pool._connect",
        "dataplane/upstream.py::Upstream.data_received",
        "proxy/companion.py::Companion._open",
        "proxy/digests.py::Digests._digest",
        "sinks/lane.py::Lane._run",
        "sinks/lane.py::Lane._write",
    }
)


def read_sources(*folders: str, below: str = "") -> dict[str, str]:
    """Path → text of the Python files below these folders, installed packages left out."""
    return {
        path.relative_to(ROOT / below).as_posix(): path.read_text()
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not {"node_modules", ".venv", ".build", ".rust"} & set(path.parts)
    }


PACKAGE = read_sources("src/mcpr", below="src/mcpr")


def test_every_room_imports_only_what_the_table_allows() -> None:
    assert architecture.import_violations(PACKAGE) == []


def test_modules_functions_and_parameter_lists_stay_within_the_budget() -> None:
    everything = read_sources("src", "tests", "benches", "examples", "scripts")
    assert architecture.size_violations(everything, OVERSIZE) == []


def test_every_public_module_says_what_it_is_for() -> None:
    everything = read_sources("src", "benches", "examples", "scripts")
    assert architecture.docstring_violations(everything) == []


def test_everything_is_caught_only_in_the_named_rescues() -> None:
    assert architecture.rescue_violations(PACKAGE, RESCUES) == []


def test_the_import_table_goes_downwards() -> None:
    """So there is an order in which the rooms can be built, and no circle."""
    remaining = dict(architecture.TABLE)
    while remaining:
        bottom = {room for room, below in remaining.items() if not below & remaining.keys()}
        assert bottom, f"a circle among {sorted(remaining)}"
        for room in bottom:
            del remaining[room]


@pytest.mark.parametrize(
    ("path", "source", "finding"),
    [
        ("pipeline/a.py", "import socket", "pipeline is pure and may not import socket"),
        ("pipeline/a.py", "import asyncio", "may not import asyncio"),
        ("protocol/a.py", "from time import monotonic", "may not import time.monotonic"),
        ("events/a.py", "import os.path", "may not import os.path"),
        ("events/a.py", "from urllib.request import urlopen", "may not import urllib.request"),
        ("events/a.py", "def now():\n    import random", "may not import random"),
        ("errors.py", "import logging", "may not import logging"),
        ("protocol/a.py", "text = open('x').read()", "may not call open()"),
        ("events/a.py", "from mcpr.pipeline import x", "events may not import pipeline"),
        ("events/a.py", "import mcpr.store.sqlite", "events may not import store"),
        ("store/a.py", "from mcpr import sinks", "store may not import sinks"),
        ("dataplane/a.py", "from ..pipeline import x", "dataplane may not import pipeline"),
        ("dataplane/http/a.py", "from ...events import x", "dataplane may not import events"),
        ("proxy/a.py", "from mcpr.cloud import app", "proxy may not import cloud"),
        ("relay/a.py", "from mcpr.proxy import app", "relay may not import proxy"),
        ("console/a.py", "from mcpr.cloud import app", "console may not import cloud"),
        ("sinks/a.py", "from mcpr.cli import main", "sinks may not import cli"),
        ("store/a.py", "X = {'cloud': 'mcpr.sinks.cloud:Sink'}", "store may not import sinks"),
        ("store/a.py", "import importlib\nimportlib.import_module('mcpr.cli')", "not import cli"),
        ("cli/a.py", "from mcpr.proxy import app", "cli imports proxy only in the function"),
        ("cli/a.py", "RUN = 'mcpr.relay.app:run'", "cli imports relay only in the function"),
        ("drawer/a.py", "", "there is no room drawer"),
    ],
)
def test_a_forbidden_import_is_found(path: str, source: str, finding: str) -> None:
    [found] = architecture.import_violations({path: source})
    assert finding in found


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("cli/run.py", "def run():\n    from mcpr.proxy import app\n    app.main()"),
        ("cli/run.py", "from mcpr.store import questions\nfrom mcpr import __version__"),
        ("events/a.py", "import hashlib\nfrom mcpr.protocol import mcp\nfrom . import ids"),
        ("events/a.py", "from collections.abc import Callable\nfrom urllib.parse import quote"),
        ("proxy/a.py", "import os\nfrom mcpr.sinks import bus\nfrom ..dataplane import pool"),
        ("store/a.py", "from mcpr.errors import StoreError\nX = 'mcpr.store.sqlite:Writer'"),
    ],
)
def test_an_allowed_import_passes(path: str, source: str) -> None:
    assert architecture.import_violations({path: source}) == []


LONG_MODULE = "x = 1\n" * (architecture.MODULE_LINES + 1)
LONG_FUNCTION = "def f():\n" + "    x = 1\n" * architecture.FUNCTION_LINES
MANY_PARAMETERS = "class C:\n    def m(self, a, b, c, d, *, e, f, g): ...\n"


@pytest.mark.parametrize(
    ("source", "key"),
    [(LONG_MODULE, "a.py"), (LONG_FUNCTION, "a.py::f"), (MANY_PARAMETERS, "a.py::C.m")],
    ids=["module", "function", "parameters"],
)
def test_what_is_over_the_budget_is_found_unless_excepted(source: str, key: str) -> None:
    [found] = architecture.size_violations({"a.py": source}, frozenset())
    assert found.startswith("a.py:")
    assert architecture.size_violations({"a.py": source}, frozenset({key})) == []


def test_what_just_meets_the_budget_passes() -> None:
    function = "def f(a, b, c, d, e, f):\n" + "    x = 1\n" * (architecture.FUNCTION_LINES - 1)
    module = function + "x = 1\n" * (architecture.MODULE_LINES - architecture.FUNCTION_LINES)
    assert architecture.size_violations({"a.py": module}, frozenset()) == []


def test_an_exception_that_is_no_longer_needed_is_found() -> None:
    [found] = architecture.size_violations({"a.py": "x = 1\n"}, frozenset({"a.py"}))
    assert "take it off" in found


@pytest.mark.parametrize("source", ["", "x = 1\n", '""""""\n', '"""  """\n'])
def test_a_module_without_words_is_found(source: str) -> None:
    assert architecture.docstring_violations({"a/__init__.py": source, "a/b.py": source})


@pytest.mark.parametrize(
    "clause", ["except:", "except Exception:", "except (OSError, BaseException) as e:"]
)
def test_a_broad_except_is_found_unless_it_is_a_rescue(clause: str) -> None:
    source = f"def f():\n    try:\n        g()\n    {clause}\n        x = 1\n"
    assert len(architecture.rescue_violations({"a.py": source}, frozenset())) == 1
    assert architecture.rescue_violations({"a.py": source}, frozenset({"a.py::f"})) == []


def test_a_broad_except_of_a_module_is_found() -> None:
    source = "try:\n    g()\nexcept Exception:\n    x = 1\n"
    [found] = architecture.rescue_violations({"a.py": source}, frozenset())
    assert found.startswith("a.py:3: <module> catches everything")


def test_a_broad_except_that_only_cleans_up_passes() -> None:
    source = (
        "def f():\n    try:\n        g()\n    except BaseException:\n        h()\n        raise\n"
    )
    assert architecture.rescue_violations({"a.py": source}, frozenset()) == []


def test_a_rescue_that_is_gone_is_found() -> None:
    [found] = architecture.rescue_violations({"a.py": "x = 1\n"}, frozenset({"a.py::f"}))
    assert "take it off" in found


#: What a base install must never bring: it serves questions over millions of rows, not one proxy.
HEAVY = {"numpy", "pandas", "pyarrow", "duckdb", "chdb", "sqlalchemy"}
BASE_PACKAGES = 18


def pinned(lock: str) -> set[str]:
    """The packages that a lock file pins."""
    return set(
        re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / lock).read_text(), re.MULTILINE)
    )


def test_the_base_install_is_light_and_holds_what_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked_for = {re.split(r"[^A-Za-z0-9-]", line)[0].lower() for line in project["dependencies"]}
    assert asked_for <= pinned("base.lock")
    assert len(pinned("base.lock")) <= BASE_PACKAGES
    assert not HEAVY & pinned("base.lock")


@pytest.mark.parametrize("lock", ["base.lock", "build.lock", "fastmcp.lock", "test.lock"])
def test_every_pin_of_a_lock_has_its_hashes(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    entries = re.split(r"\n(?=[a-z0-9-]+==)", text)[1:]
    assert len(entries) == len(pinned(lock)) > 0
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
