"""The proof by the user's own running proxy: words in requests that no server carries out.

Says nothing that a server could act upon: no tool, method, prompt or resource that exists is named,
no session is begun, no credential is sent. What the real server answers is not planted and not
looked at; the proof with a proxy of its own does that (`proof`).
"""

import os
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mcpr.calling import NoAnswer
from mcpr.errors import McprError, StoreError
from mcpr.proxy.privacy_proof import traces
from mcpr.proxy.privacy_proof.canaries import Canaries, Finding
from mcpr.proxy.privacy_proof.echo import call
from mcpr.proxy.privacy_proof.proof import Proof, Sought, judged
from mcpr.proxy.privacy_proof.talk import Client
from mcpr.serving.presence import Presence, present
from mcpr.settings import ask
from mcpr.settings.run import store_path
from mcpr.store import Filter
from mcpr.store.sqlite import SqliteEventStore

_WAIT_SECONDS = 60.0
_LOG_SECONDS = 10.0
_POLL_SECONDS = 0.05
_PIECE_BYTES = 16 << 20
#: More than a word takes in its longest form: none is cut in two.
_OVERLAP_BYTES = 1_024
_MODERN = "2026-07-28"
#: Outcomes of a call that no server has heard whole.
_UNHEARD = frozenset({"unreachable", "timeout", "broken", "limited", "denied"})
_USUAL = {
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
    "MCP-Protocol-Version": _MODERN,
}


@dataclass(frozen=True, slots=True)
class Target:
    """What to prove. path: of the MCP endpoint. access_log: a file, if it has one.

    token: opens its admin pages. detail: whether it keeps the local part.
    """

    presence: Presence
    path: str
    store: Path
    access_log: Path | None
    token: str | None
    detail: bool


def running_proxy(file: Path | None, url: str | None) -> Target:
    """The proxy that writes the store of these settings, or the one of those at this URL.

    Raises McprError where there is none, or more than one.
    """
    settings = None if file is None else ask(str(file)).read()[0]
    store = store_path(None) if settings is None else settings.db
    found = [each for each in present(store) if url is None or _origin(each.url) == _origin(url)]
    if len(found) != 1:
        raise _no_proof(
            f"{len(found) or 'none'} of the proxies that write {store} can be meant",
            "name its settings file, or its URL where there are several; see `mcpr status`",
        )
    access = None if settings is None else settings.model.log.access
    return Target(
        presence=found[0],
        path=urlsplit(url or found[0].url).path or "/",
        store=store,
        access_log=Path(access) if access and access != "-" else None,
        token=os.environ.get("MCPR_ADMIN_TOKEN") or None,
        detail=settings is None or settings.detail,
    )


def _origin(url: str) -> tuple[str | None, str]:
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    return host, parts.netloc.rpartition(":")[2]


def prove_running(target: Target) -> Proof:
    """Say the words through this proxy and search what it keeps and shows. Raises McprError."""
    canaries = Canaries()
    client = Client(target.presence.url)
    with closing(client):
        requests = list(_requests(canaries, target.path))
        for method, path, headers, body in requests:
            if client.ask(method, path, headers, body) == 0:
                raise _no_proof(
                    f"the proxy at {target.presence.url} gave no whole answer",
                    "see `mcpr status` and `mcpr doctor`, then try again",
                )
    _wait_for(canaries, target.store)
    _wait_for_log(canaries, target.access_log)
    findings: set[Finding] = set()
    sources = []
    for source, size, found in _searched(canaries, target):
        findings |= found
        sources.append(Sought(source, size))
    unsaid = set(canaries.missing(bytes(client.said)))
    rows = list(judged(canaries, findings, unsaid, detail=target.detail))
    return Proof(rows, sources, len(requests), has_connections=False)


_Request = tuple[str, str, dict[str, str], bytes | None]


def _requests(canaries: Canaries, path: str) -> Iterator[_Request]:
    plant = canaries.plant
    headers = _USUAL | {
        "User-Agent": plant("user agent"),
        "X-Canary": plant("value of a header"),
    }

    def post(method: str, params: dict[str, object], named: str = "") -> _Request:
        kind = "an unknown method" if method.startswith("canary/") else method
        client = {"name": f"Client {word}", "version": "1"}
        meta = {
            "io.modelcontextprotocol/protocolVersion": _MODERN,
            "io.modelcontextprotocol/clientInfo": client,
            "io.modelcontextprotocol/clientCapabilities": {},
            "x": plant(f"_meta of {kind}"),
        }
        told = headers | {"Mcp-Method": method} | ({"Mcp-Name": named} if named else {})
        return "POST", path, told, call(method, {**params, "_meta": meta})

    word = plant("name of the client", local="client_name")
    yield post("ping", {"x": plant("parameter of a ping")})
    unknown = f"canary/{plant('method that nobody knows', local='raw_method')}"
    yield post(unknown, {"x": plant("parameter of an unknown method")})
    uri = f"canary:{plant('URI of a resource that is none', local='subject')}"
    yield post("resources/read", {"uri": uri}, uri)
    prompt = plant("name of a prompt that is none", local="subject")
    arguments = {"a": plant("argument of a prompt")}
    yield post("prompts/get", {"name": prompt, "arguments": arguments}, prompt)
    page = f"/{plant('path of a page', local='path')}?q={plant('query of a page')}"
    yield "GET", page, {"X-Canary": plant("header of a page")}, None
    # Last, for its row shows that all of them are recorded.
    tool = plant("name of a tool that is none", public="tool")
    arguments = {
        plant("name of an argument"): plant("value of an argument"),
        "deep": plant("value of another argument"),
    }
    yield post("tools/call", {"name": tool, "arguments": arguments}, tool)


def _wait_for(canaries: Canaries, store: Path) -> None:
    [place] = canaries.public
    wanted = Filter(tool=canaries.planted[place])
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        with suppress(StoreError), SqliteEventStore(store) as events:
            found = events.requests(wanted, 1)
            if found and found[0].event.outcome in _UNHEARD:
                raise _no_proof(
                    "the proxy could not hand the words to its MCP server"
                    f" ({found[0].event.outcome}), so nothing was answered either",
                    "start the server (`mcpr doctor` says what is wrong), then try again",
                )
            if found:
                return
        time.sleep(_POLL_SECONDS)
    raise _no_proof(
        f"the last call was not recorded in {store} within {_WAIT_SECONDS:.0f} s",
        "name the settings file that the proxy runs with, so that its store is looked into",
    )


def _wait_for_log(canaries: Canaries, log: Path | None) -> None:
    """Another sink writes it. It is searched even if the last call does not come in time."""
    [place] = canaries.public
    deadline = time.monotonic() + _LOG_SECONDS
    while log is not None and log.is_file() and time.monotonic() < deadline:
        if any(canaries.planted[place].encode() in piece for piece in _pieces(log)):
            return
        time.sleep(_POLL_SECONDS)


def _searched(canaries: Canaries, target: Target) -> Iterator[tuple[str, int, set[Finding]]]:
    """Each source with its size and what was found in it."""
    files = [
        (f"store/store.db{path.name.removeprefix(target.store.name)}", path)
        for path in sorted(target.store.parent.glob(f"{target.store.name}*"))
    ]
    if target.access_log is not None:
        files.append(("access log", target.access_log))
    for source, path in files:
        size, found = 0, set()
        # What comes and goes, such as SQLite's companions, may have gone.
        with suppress(FileNotFoundError):
            for piece in _pieces(path):
                found |= canaries.find({source: piece})
            size = path.stat().st_size
        yield source, size, found
    pages: dict[str, bytes] = {}
    if target.presence.admin is not None:
        try:
            pages = traces.pages(target.presence.admin, target.token)
        except NoAnswer as error:
            raise _no_proof(
                f"the admin pages gave no answer: {error}", "see `mcpr status`, then try again"
            ) from error
    shown = pages | traces.of_processes(traces.family(target.presence.pid))
    for source, data in shown.items():
        yield source, len(data), canaries.find({source: data})


def _pieces(path: Path) -> Iterator[bytes]:
    """The file in pieces that overlap, so that one of any size can be searched."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
            if len(piece) < _PIECE_BYTES:
                return
            file.seek(-_OVERLAP_BYTES, os.SEEK_CUR)


def _no_proof(why: str, remedy: str) -> McprError:
    return McprError("cannot run the privacy proof", why, remedy, "proof.failed")
