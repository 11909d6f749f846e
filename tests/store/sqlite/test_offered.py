"""What an engine answers about lists: rows in the order and with the filters that it promises."""

from pathlib import Path

from tests.store.building import a_store
from tests.store.offers import FORECAST, GET, STRICT, an_offer

from mcpr.store import Window
from mcpr.store.sqlite import SqliteEventStore

T = 1_785_000_000_000


def test_versions_changes_and_definitions_are_as_they_were_written(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db")
    an_offer(path, T, [GET])
    an_offer(path, T + 1, [STRICT, FORECAST])
    an_offer(path, T + 1, [], which="prompts")
    with SqliteEventStore(path) as store:
        offered = store.offered
        versions = offered.versions(None, "tools")
        assert [(one.version, one.items, one.suspicions) for one in versions] == [
            (1, 1, 0),
            (2, 2, 1),
        ]
        assert [one.list for one in offered.versions("weather", None)] == [
            "prompts",
            "tools",
            "tools",
        ]
        assert offered.versions("notes", None) == []
        changes = offered.changes(Window(T + 1, T + 2), None, None)
        assert [(one.list, one.version) for one in changes] == [("prompts", 1), ("tools", 2)]
        definitions = offered.definitions(versions[1].key)
        assert [one.item.name for one in definitions] == ["forecast", "get_weather"]
        assert definitions[1].suspicions == ("instruction description",)
        assert {mark.list for mark in offered.marks()} == {"prompts", "tools"}
