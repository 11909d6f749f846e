"""Asks a command in this process, at a fixed time; and a store to ask about."""

import contextlib
import io
from pathlib import Path
from typing import NamedTuple

from tests.events.building import an_event
from tests.store.building import a_store
from tests.store.offers import FORECAST, GET, STRICT, an_offer

from mcpr.cli import main
from mcpr.events import Detail, Ids, RequestEvent

NOW_MS = 1_785_233_700_000  # 2026-07-28T10:15:00Z
GOLDEN = Path(__file__).parents[1] / "golden" / "cli"


class Answer(NamedTuple):
    """What a command did. code: its exit code."""

    code: int
    out: str
    err: str


def ask(*arguments: object) -> Answer:
    """Run `mcpr` with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(argument) for argument in arguments], now_ms=lambda: NOW_MS)
    return Answer(code, out.getvalue(), err.getvalue())


def golden(name: str) -> str:
    """What a golden file says."""
    return (GOLDEN / name).read_text()


def a_mornings_store(path: Path) -> Path:
    """A store with a little of everything, at known times and with known ids."""
    ids = Ids(lambda _bits: 5)

    def event(seconds_ago: int, **fields: object) -> RequestEvent:
        ts_ms = NOW_MS - seconds_ago * 1_000
        return an_event(**{"id": ids.mint(ts_ms), "ts_ms": ts_ms, "detail": None} | fields)

    bare = {"tool": None, "session": None, "client": None, "client_version": None}
    read = {"method": "resources/read", "revision": "2026-07-28", "client": "other"}
    wrong = {"outcome": "rpc_error", "origin": "client", "rpc_code": -32602}
    unknown = {"method": None, "kind": "oauth", "revision": None}
    refused = {"outcome": "challenge", "origin": "auth", "http_status": 401}
    named = Detail(subject="file:///forecast", error_text="no such city", client_name="Håkon's")
    path_only = Detail(http_method="GET", path="/.well-known/oauth-protected-resource")
    late = {"outcome": "timeout", "origin": "server", "latency_us": 120_000_000}
    quick = [event(3_000 - at, latency_us=38_000 + 700 * at) for at in range(8)]
    others = [
        event(2_400, method="initialize", tool=None, latency_us=3_210, bytes_out=1_846),
        event(2_000, tool="forecast", latency_us=2_480_000, bytes_out=1_250_000),
        event(1_999, outcome="tool_error", origin="tool", latency_us=812),
        event(1_500, **(bare | read | wrong), detail=named),
        event(900, **(bare | unknown | refused), detail=path_only),
        event(60, tool="forecast", **late),
    ]
    return a_store(path, [*quick, *others])


def an_offered_store(path: Path) -> Path:
    """A morning's store, and what its server and another one offered."""
    a_mornings_store(path)
    at = NOW_MS - 3_600_000
    an_offer(path, at, [GET])
    an_offer(path, at, [{"part": "info", "name": "weather", "version": "1"}], which="server")
    an_offer(path, at + 1_800_000, [STRICT, FORECAST, {"name": "never"}])
    an_offer(path, at + 1_800_500, [{"name": "daily"}], which="prompts")
    return path
