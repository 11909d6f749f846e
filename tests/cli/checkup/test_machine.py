"""cli/checkup/machine: versions, descriptors and the clock of this machine."""

import resource

import pytest
from tests.cli.asking import NOW_MS

from mcpr.cli.checkup import machine as checkup


def test_this_machine_is_well() -> None:
    found = {finding.check: finding for finding in checkup.machine(NOW_MS)}
    assert found["versions"].state == found["libraries"].state == found["clock"].state == "ok"
    assert "click " in found["libraries"].why


@pytest.mark.parametrize("now_ms", [0, 1_000_000_000_000, 9_999_999_999_999])
def test_a_clock_that_is_years_off_fails(now_ms: int) -> None:
    assert list(checkup.machine(now_ms))[-1].state == "fail"


@pytest.mark.parametrize(("hard", "state"), [(256, "warn"), (65_536, "ok"), (-1, "ok")])
def test_few_descriptors_are_told(hard: int, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (hard, hard))
    assert checkup._descriptors().state == state


def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "_LIBRARIES", ("click", "no-such-thing"))
    assert checkup._libraries().state == "fail"
    monkeypatch.setattr(checkup, "_LIBRARIES", ("click",))
    assert checkup._libraries().state == "ok"
