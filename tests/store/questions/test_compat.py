"""store/questions/compat: who fails where others do not, and whose labels are wrong."""

from pathlib import Path

from tests.store.building import a_store
from tests.store.sessions import calls

from mcpr.events import Detail
from mcpr.store import Filter
from mcpr.store.questions import CompatRow, compat
from mcpr.store.sqlite import SqliteEventStore


def asked(path: Path) -> list[CompatRow]:
    with SqliteEventStore(path) as store:
        return compat(store, Filter())


def test_a_tool_that_fails_for_one_client_only_stands_first(tmp_path: Path) -> None:
    good = [calls(None, 0, client="cursor", tool="a") for _ in range(3)]
    bad = [calls(None, 0, client="zed", tool="a", outcome="tool_error") for _ in range(2)]
    first, second = asked(a_store(tmp_path / "s.db", good + bad))
    assert (first.client, first.error_rate, first.others_error_rate) == ("zed", 1.0, 0.0)
    assert (second.client, second.error_rate, second.others_error_rate) == ("cursor", 0.0, 1.0)


def test_revisions_and_versions_are_kept_apart_and_are_not_others(tmp_path: Path) -> None:
    events = [
        calls(None, 0, tool="a", revision="2025-06-18"),
        calls(None, 0, tool="a", revision="2025-11-25", outcome="tool_error"),
        calls(None, 0, tool="a", client_version="3"),
    ]
    rows = asked(a_store(tmp_path / "s.db", events))
    assert sorted((row.revision, row.client_version, row.errors) for row in rows) == [
        ("2025-06-18", "2.1.0", 0),
        ("2025-11-25", "2.1.0", 1),
        ("2025-11-25", "3", 0),
    ]
    assert {row.others_error_rate for row in rows} == {None}


def test_wrong_labels_and_ambiguous_requests_are_counted(tmp_path: Path) -> None:
    """A gateway that refused wrong labels locked real clients out; we count them."""
    notes = [None, "mismatch", "ambiguous mismatch", "unlinked"]
    events = [calls(None, 0, tool="a", detail=Detail(note=note)) for note in notes]
    (row,) = asked(a_store(tmp_path / "s.db", events))
    assert (row.calls, row.mislabelled, row.ambiguous) == (4, 2, 1)


def test_a_method_without_a_tool_stands_for_itself(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [calls(None, 0, tool=None, method="resources/read")])
    assert [row.subject for row in asked(path)] == ["resources/read"]


def test_only_json_rpc_requests_count(tmp_path: Path) -> None:
    assert asked(a_store(tmp_path / "s.db", [calls(None, 0, kind="notification")])) == []
