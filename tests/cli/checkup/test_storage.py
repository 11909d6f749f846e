"""cli/checkup/storage: a store that is well, and each way in which it is not."""

from pathlib import Path

import pytest
from tests.cli.asking import NOW_MS, a_mornings_store
from tests.events.building import an_event
from tests.store.building import a_store

from mcpr.cli.checkup.finding import Finding
from mcpr.cli.checkup.storage import _room, storage


def looked(path: Path) -> dict[str, Finding]:
    return {finding.check: finding for finding in storage(path, NOW_MS)}


def test_a_store_that_is_well_is_well(tmp_path: Path) -> None:
    found = looked(a_mornings_store(tmp_path / ".mcpr" / "s.db"))
    assert {name: finding.state for name, finding in found.items()} == {
        "store": "ok",
        "integrity": "ok",
        "writing": "ok",
        "room": "ok",
        "mode of the store": "ok",
        "mode of its folder": "ok",
    }


def test_one_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    found = looked(tmp_path / "new" / "s.db")
    assert found["store"].state == found["writing"].state == "ok"
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_store_fails_with_its_code(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_text("no database, and long enough to be looked at as one " * 20)
    assert "[store.foreign]" in looked(path)["store"].why


def test_a_damaged_one_fails(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event(tool=f"t{at}") for at in range(2_000)])
    data = bytearray(path.read_bytes())
    for at in range(8_192 * 3 + 100, len(data) - 8_192, 8_192):
        data[at : at + 40] = b"\xff" * 40
    path.write_bytes(data)
    found = looked(path)
    assert "fail" in {found["store"].state, found.get("integrity", found["store"]).state}


def test_a_store_that_others_may_read_is_a_warning(tmp_path: Path) -> None:
    path = a_mornings_store(tmp_path / "s.db")
    path.chmod(0o644)
    found = looked(path)["mode of the store"]
    assert (found.state, found.next_step) == ("warn", f"chmod 600 {path}")


def test_an_event_from_the_future_is_a_warning(tmp_path: Path) -> None:
    path = a_store(tmp_path / "s.db", [an_event(ts_ms=NOW_MS + 3_600_000)])
    assert looked(path)["clock and store"].state == "warn"


@pytest.mark.parametrize(("free", "state"), [(10**9, "ok"), (10**8, "warn"), (10**6, "fail")])
def test_little_room_is_told(
    tmp_path: Path, free: int, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        def __init__(self) -> None:
            self.free = free

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage())
    assert _room(tmp_path / "s.db").state == state
