"""store/questions/log: what happened, one by one, and what happens next."""

from contextlib import closing
from pathlib import Path

import pytest
from tests.events.building import TS_MS, an_event, many
from tests.store.building import a_store

from mcpr.events import Detail, to_text
from mcpr.store import Filter, Window
from mcpr.store.questions import follow, log
from mcpr.store.sqlite import SqliteEventStore, Writer


def test_the_newest_by_arrival_comes_first_however_late_it_was_written(tmp_path: Path) -> None:
    late = an_event(ts_ms=TS_MS - 5_000)
    first, second = an_event(ts_ms=TS_MS), an_event(ts_ms=TS_MS)
    with SqliteEventStore(a_store(tmp_path / "s.db", [first, second, late])) as store:
        ids = [row.id for row in log(store, Filter(), 10)]
    assert ids == [to_text(event.id) for event in (second, first, late)]


def test_a_row_holds_the_public_and_the_local_part(tmp_path: Path) -> None:
    detail = Detail(
        subject="file:///x",
        method="made/up",
        error_text="no such city",
        client_name="Claude Code",
        note="ambiguous",
        upstream_first_us=7,
    )
    event = an_event(method="_other", outcome="rpc_error", rpc_code=-32602, detail=detail)
    with SqliteEventStore(a_store(tmp_path / "s.db", [event])) as store:
        [row] = log(store, Filter(), 10)
    assert (row.method, row.raw_method, row.rpc_code) == ("_other", "made/up", -32602)
    assert (row.subject, row.error_text, row.note) == ("file:///x", "no such city", "ambiguous")
    assert (row.client_name, row.path, row.upstream_first_us) == ("Claude Code", None, 7)
    assert row.session == event.session


@pytest.mark.parametrize(
    ("since", "until", "expected"), [(0, 1, 1), (1, 2, 0), (-1, 0, 0), (-1, 1, 1)]
)
def test_a_window_holds_its_beginning_and_not_its_end(
    tmp_path: Path, since: int, until: int, expected: int
) -> None:
    with SqliteEventStore(a_store(tmp_path / "s.db", [an_event()])) as store:
        rows = log(store, Filter(window=Window(TS_MS + since, TS_MS + until)), 10)
    assert len(rows) == expected


def test_whoever_follows_sees_every_matching_row_once(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", many(3))
    with closing(Writer(path)) as writer, SqliteEventStore(path) as store:
        cursor = store.last_seq()
        seen = []
        for size in (0, 7, 1, 0, 30):
            # Mixed with others, and more at once than are asked for at once.
            writer.write([an_event(tool=tool) for tool in ["wanted", "other"] * size])
            while (news := follow(store, Filter(tool="wanted"), cursor, limit=4)).rows:
                seen += [row.seq for row in news.rows]
                cursor = news.cursor
            cursor = news.cursor
        assert len(seen) == 38
        assert seen == sorted(set(seen))
        assert cursor == store.last_seq()


def test_whoever_follows_passes_what_does_not_match_for_good(tmp_path: Path) -> None:
    """Else each question would read all of it again."""
    with SqliteEventStore(a_store(tmp_path / "s.db", many(50))) as store:
        assert follow(store, Filter(tool="rare"), 0).cursor == store.last_seq() == 50
