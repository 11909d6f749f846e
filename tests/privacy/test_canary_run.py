"""P4 to P9: whatever is said through the proxy, nothing of it is kept.

A canary stands in every place of an exchange, in some seventy exchanges with every outcome that can
be brought about from outside. Then every trace of the proxy is searched: while it runs, after it
was asked to end, and after it was killed.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from tests.privacy import calls, failures, plain_http, unfinished
from tests.privacy.canaries import Canaries, find_address
from tests.privacy.stage import Stage
from tests.privacy.traces import a_copy, columns_holding, longest_texts, proxy
from tests.privacy.wire import Client, Origin

from mcpr.events import OUTCOMES, envelope

SCENES = (*calls.SCENES, *plain_http.SCENES, *failures.SCENES, *unfinished.SCENES)
ADDRESS = "127.7.7.7"


@dataclass(frozen=True)
class Kept:
    """What was left of one run. ended: the traces after the end; columns: see `columns_holding`."""

    canaries: Canaries
    has_detail: bool
    was_killed: bool
    log: str
    wire: bytes
    heard: bytes
    running: dict[str, bytes]
    ended: dict[str, bytes]
    columns: dict[str, set[str]]
    longest: dict[str, int]
    rows: Counter[str]
    wanted: Counter[str]

    @property
    def traces(self) -> dict[str, bytes]:
        """Those of both moments."""
        return {
            **{f"{name}, running": data for name, data in self.running.items()},
            **{f"{name}, ended": data for name, data in self.ended.items()},
        }

    @property
    def stderr(self) -> str:
        """All that was said there."""
        return self.ended["output/stderr"].decode()


@pytest.fixture(
    scope="module",
    params=[
        ("detail", "pretty", "drained"),
        ("detail", "json", "killed"),
        ("no-detail", "json", "drained"),
        ("no-detail", "pretty", "killed"),
    ],
    ids=" ".join,
)
def kept(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kept]:
    """Play every scene before a real `mcpr run`, end it, and gather what is left."""
    detail, log, end = request.param
    folder, scratch = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("scratch")
    origin = Origin()
    canaries = Canaries()
    with (
        proxy(folder, origin.port, "--log", log, f"--{detail}") as mcpr,
        closing(Stage(canaries, Client(mcpr.port, ADDRESS), origin)) as stage,
    ):
        for scene in SCENES:
            scene(stage)
        for path in ("/metrics", "/nowhere"):
            visit(mcpr.admin, path, stage)
        mcpr.wait_for_rows(stage.rows.total())
        running = mcpr.traces()
        if end == "drained":
            stage.stop()
            assert mcpr.drain() == 0
        else:
            mcpr.kill()
        ended = mcpr.files()
        with a_copy(mcpr.store, scratch) as store:
            found = store.execute("SELECT kind || ' ' || outcome FROM requests").fetchall()
            held = columns_holding(store, canaries)
            longest = longest_texts(store)
        yield Kept(
            canaries,
            detail == "detail",
            end == "killed",
            log,
            bytes(stage.client.said + stage.client.heard + origin.said).replace(b"x" * 1000, b""),
            bytes(origin.heard),
            running,
            ended,
            held,
            longest,
            Counter(row for (row,) in found),
            stage.rows,
        )


def visit(port: int, path: str, stage: Stage) -> None:
    """Somebody looks at the admin pages, with canaries in the request."""
    visitor = Client(port, ADDRESS)
    target = f"{path}?k={stage.plant(f'query of the admin page {path}')}"
    head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    visitor.ask(f"{head}X-K: {stage.plant(f'header to the admin page {path}')}\r\n\r\n".encode())
    visitor.close()
    stage.client.said += visitor.said


def test_every_canary_was_on_the_wire(kept: Kept) -> None:
    """A canary that nobody sent would prove nothing."""
    compressed = {place for place in kept.canaries.planted if "ompressed" in place}
    wide = {"JSON in UTF-16"}
    assert set(kept.canaries.missing(kept.wire)) <= compressed | wide


def test_every_exchange_ended_as_it_was_meant_to(kept: Kept) -> None:
    assert kept.rows == kept.wanted


def test_every_outcome_was_there_that_can_be_had_without_altering_the_proxy(kept: Kept) -> None:
    """test_altered_proxies.py has the other three."""
    found = {row.split()[1] for row in kept.wanted}
    assert found == set(OUTCOMES) - {"timeout", "unreachable", "internal"}


def test_what_was_said_is_nowhere(kept: Kept) -> None:
    exempt = kept.canaries.local.keys() | kept.canaries.public.keys()
    found = {f for f in kept.canaries.find(kept.traces) if f.place not in exempt}
    assert found == set()


def test_local_detail_stays_in_the_store_and_is_not_there_when_switched_off(kept: Kept) -> None:
    found = {f for f in kept.canaries.find(kept.traces) if f.place in kept.canaries.local}
    if kept.has_detail:
        assert {source.partition(",")[0] for _, source, _ in found} <= {
            "store/store.db",
            "store/store.db-wal",
        }
    else:
        assert found == set()


def test_every_word_stands_in_the_one_column_that_is_for_it(kept: Kept) -> None:
    local = kept.canaries.local if kept.has_detail else {}
    allowed = {**local, **kept.canaries.public}
    assert kept.columns == {place: {*names.split()} for place, names in allowed.items()}


def test_texts_that_somebody_else_chose_are_cut_off(kept: Kept) -> None:
    bounds = {
        "tool": 128,
        "client_version": 32,
        "subject": 512,
        "raw_method": 512,
        "error_text": 512,
        "client_name": 128,
        "http_method": 32,
        "path": 256,
    }
    local = {"subject", "raw_method", "error_text", "client_name", "http_method", "path"}
    for column, bound in bounds.items():
        assert kept.longest[column] <= bound, column
        if column in local:
            assert kept.longest[column] == (bound if kept.has_detail else 0), column


def test_what_was_not_yet_in_the_stores_file_was_searched_too(kept: Kept) -> None:
    assert kept.running["store/store.db-wal"]
    assert ("store/store.db-wal" in kept.ended) == kept.was_killed


def test_public_words_are_found(kept: Kept) -> None:
    """The search works: what may be seen is seen, in the store and on stderr."""
    sources = {(f.place, f.source) for f in kept.canaries.find(kept.ended)}
    for place in kept.canaries.public:
        assert (place, "output/stderr") in sources
        assert {(place, "store/store.db"), (place, "store/store.db-wal")} & sources


def test_the_address_of_the_client_is_nowhere(kept: Kept) -> None:
    """P11. The server is told of it, so it was there to be kept."""
    assert f"X-Forwarded-For: {ADDRESS}".encode() in kept.heard
    assert find_address(ADDRESS, kept.traces) == set()


def test_stderr_has_only_envelopes_and_words_of_ours(kept: Kept) -> None:
    lines = kept.stderr.splitlines()
    ours = [line for line in lines if line.startswith("mcpr: ")]
    events = [line for line in lines if line not in ours]
    assert len(ours) <= 1
    assert len(events) == kept.wanted.total()
    if kept.log == "json":
        for line in events:
            envelope.decode(line.encode())
