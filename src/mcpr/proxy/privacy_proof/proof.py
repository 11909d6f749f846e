"""The proof from beginning to end: start a proxy, say the scenes, gather what is left, judge it.

All that the proxy writes is in one folder that is made for it and removed afterwards: its home,
its temporary files, its working directory, its store and what it prints.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mcpr.errors import McprError, StoreError
from mcpr.proxy.privacy_proof import scenes, traces
from mcpr.proxy.privacy_proof.canaries import Canaries, Finding, find_address
from mcpr.proxy.privacy_proof.echo import Echo, answer
from mcpr.proxy.privacy_proof.program import STORE, settings
from mcpr.proxy.privacy_proof.talk import Client
from mcpr.serving.presence import Presence, present
from mcpr.store import Filter
from mcpr.store.sqlite import SqliteEventStore

_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.05
_COMMAND = (sys.executable, "-P", "-m", "mcpr.proxy.privacy_proof.program")
_ADDRESS = "address of the client"
_CONNECTIONS = "connections to anybody but the server"

May = Literal["nowhere", "store", "record"]
Verdict = Literal["ok", "leak", "not said", "not found"]


@dataclass(frozen=True, slots=True)
class ProofRow:
    """One word that was planted.

    may: `nowhere`, in the `store` (the local part), or in the whole `record`: store, log, metrics.
    found: where it stands. verdict: `ok`; `leak`, it stands where it may not; `not said`, it was
    never on its way, so nothing is proven; `not found`, it ought to be in the record and is not, so
    the search is not to be trusted.
    """

    place: str
    may: May
    found: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Sought:
    """Something that was searched."""

    source: str
    size: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of it.

    rows: one for each word. exchanges: how many there were. has_connections: whether the
    connections of the processes could be looked at.
    """

    rows: list[ProofRow]
    sources: list[Sought]
    exchanges: int
    has_connections: bool

    @property
    def is_passed(self) -> bool:
        """Whether every row is ok."""
        return all(row.verdict == "ok" for row in self.rows)


@dataclass
class _Running:
    """process: the proxy's. presence: where it is."""

    process: subprocess.Popen[bytes]
    folder: Path
    presence: Presence

    @property
    def pids(self) -> list[int]:
        return traces.family(self.process.pid)

    def end(self) -> None:
        """End it well. Raises McprError."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_WAIT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise _no_proof(f"the proxy did not end within {_WAIT_SECONDS:.0f} s") from error


def prove(file: Path | None, command: Sequence[str] = _COMMAND) -> Proof:
    """Run the proof with these settings; None for none.

    command: what is the proxy. Raises McprError: when the settings are wrong, or it cannot be run.
    """
    canaries = Canaries()
    with (
        tempfile.TemporaryDirectory(prefix="mcpr-proof-") as name,
        closing(Echo()) as echo,
        closing(Echo(answer(b"", kind="application/x-protobuf"))) as collector,
    ):
        folder = Path(name)
        urls = (echo.url, collector.url)
        words = (str(folder), *urls, "-" if file is None else str(file.absolute()))
        detail = settings(folder, *words[1:]).detail
        with _running(folder, (*command, *words)) as proxy:
            client = Client(proxy.presence.url)
            stage = scenes.Stage(canaries, client, echo)
            strangers = _Strangers(proxy, {echo.port, collector.port})
            with closing(client):
                for scene in scenes.SCENES:
                    scene(stage)
                    strangers.look()
            _wait(lambda: _has_last(folder / STORE, canaries), "the last call was not recorded")
            strangers.look()
            found = _named(_while_running(proxy), "running")
            proxy.end()
        found |= _named(traces.files(folder), "ended")
        if collector.heard:
            found["all that was sent to the collector, ended"] = bytes(collector.heard)
        said = bytes(client.said + client.heard + echo.heard + echo.said)
        unsaid = set(canaries.missing(said)) - stage.encoded
        rows = [*judged(canaries, canaries.find(found), unsaid, detail=detail), *strangers.rows()]
        if client.address:
            rows.append(_address_row(client.address, found))
    sources = [Sought(source, len(data)) for source, data in found.items()]
    return Proof(rows, sources, stage.exchanges, strangers.can_look)


@contextmanager
def _running(folder: Path, command: Sequence[str]) -> Iterator[_Running]:
    homes = {name: folder / name.lower() for name in ("HOME", "TMPDIR", "CWD", "STORE", "OUTPUT")}
    for home in homes.values():
        home.mkdir(mode=0o700)
    variables = {**os.environ, **{name: str(homes[name]) for name in ("HOME", "TMPDIR")}}
    with (
        (homes["OUTPUT"] / "stdout").open("wb") as out,
        (homes["OUTPUT"] / "stderr").open("wb") as err,
        subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=-3, stdout=out, stderr=err, cwd=homes["CWD"], env=variables
        ) as process,
    ):
        try:
            found: list[Presence] = []

            def is_there() -> bool:
                found[:] = present(folder / STORE)
                return bool(found) or process.poll() is not None

            _wait(is_there, "the proxy did not start")
            if not found:
                words = (homes["OUTPUT"] / "stderr").read_text(errors="replace").splitlines()
                raise _no_proof(f"the proxy did not start: {(words or ['it said nothing'])[-1]}")
            yield _Running(process, folder, found[0])
        finally:
            process.kill()


class _Strangers:
    """Watches who the processes are connected to."""

    def __init__(self, proxy: _Running, expected: set[int]) -> None:
        self._proxy = proxy
        self._expected = expected
        ours = (proxy.presence.url, proxy.presence.admin or "")
        self._ours = {int(url.split("/")[2].rpartition(":")[2]) for url in ours if url}
        self._found: set[str] = set()
        self.can_look = True

    def look(self) -> None:
        """Remember those that are neither the server nor a client."""
        peers = traces.peers(self._proxy.pids)
        self.can_look = self.can_look and peers is not None
        self._found |= {
            str(peer)
            for peer in peers or ()
            if peer.port not in self._expected and peer.local_port not in self._ours
        }

    def rows(self) -> list[ProofRow]:
        """The judgement."""
        if not self.can_look:
            return []
        found = ", ".join(sorted(self._found))
        return [ProofRow(_CONNECTIONS, "nowhere", found, "leak" if found else "ok")]


def _while_running(proxy: _Running) -> dict[str, bytes]:
    found = {**traces.files(proxy.folder), **traces.of_processes(proxy.pids)}
    if proxy.presence.admin is not None:
        try:
            found |= traces.pages(proxy.presence.admin)
        except traces.NoAnswer as error:
            raise _no_proof(f"the admin pages gave no answer: {error}") from error
    return found


def _named(found: Mapping[str, bytes], moment: str) -> dict[str, bytes]:
    return {f"{source}, {moment}": data for source, data in found.items()}


def _has_last(store: Path, canaries: Canaries) -> bool:
    [place] = canaries.public
    try:
        with SqliteEventStore(store) as events:
            rows = events.requests(Filter(tool=canaries.planted[place]), scenes.TIMES)
    except StoreError:
        return False
    return len(rows) == scenes.TIMES


def judged(
    canaries: Canaries, findings: set[Finding], unsaid: set[str], *, detail: bool
) -> Iterator[ProofRow]:
    """One row for each word. unsaid: places whose word was never on its way."""
    found: dict[str, set[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.place, set()).add(finding)
    for place in canaries.planted:
        may: May = "nowhere"
        if place in canaries.public:
            may = "record"
        elif place in canaries.local and detail:
            may = "store"
        yield _judged(place, may, found.get(place, set()), is_said=place not in unsaid)


def _judged(place: str, may: May, found: set[Finding], *, is_said: bool) -> ProofRow:
    in_store = {finding for finding in found if finding.source.startswith(STORE)}
    wrong = {"nowhere": found, "store": found - in_store, "record": set()}[may]
    verdict: Verdict = "ok"
    if not is_said:
        verdict = "not said"
    elif wrong:
        verdict = "leak"
    elif may == "record" and not in_store:
        verdict = "not found"
    return ProofRow(place, may, _listed(wrong or found), verdict)


def _address_row(address: str, sources: Mapping[str, bytes]) -> ProofRow:
    found = find_address(address, sources)
    return ProofRow(_ADDRESS, "nowhere", _listed(found), "leak" if found else "ok")


def _listed(found: set[Finding]) -> str:
    """The sources, each once, and the form where it is not plain."""
    names = {
        finding.source.partition(",")[0] + ("" if finding.form == "plain" else f" ({finding.form})")
        for finding in found
    }
    return ", ".join(sorted(names))


def _wait(is_so: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise _no_proof(f"{otherwise} within {_WAIT_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)


def _no_proof(why: str) -> McprError:
    return McprError(
        "cannot run the privacy proof",
        why,
        "try the proxy by itself with `mcpr run`; if that works, please report it",
        "proof.failed",
    )
