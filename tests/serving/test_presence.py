"""serving/presence: a program is found while it lives, and not a moment longer."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mcpr.serving.presence import Presence, announced, present, sweep

HERE = Presence(1, "0.1", 5, "weather", "http://u/mcp", "http://127.0.0.1:3000/mcp", None)
PROGRAM = """
import sys
from pathlib import Path
from mcpr.serving.presence import Presence, announced
with announced(Path(sys.argv[1]), Presence(2, "0.1", 6, "other", "u", "l", "a")):
    print("here", flush=True)
    sys.stdin.readline()
"""


def test_a_program_is_found_as_long_as_it_lasts(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    assert present(store) == []
    with announced(store, HERE):
        assert present(store) == [HERE]
        assert present(tmp_path / "other.db") == []
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    with announced(tmp_path / "s.db", HERE):
        [path] = tmp_path.iterdir()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_one_that_was_killed_is_not_found_and_is_swept_away(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    command = [sys.executable, "-c", PROGRAM, str(store)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        with announced(store, HERE):
            assert [presence.server for presence in present(store)] == ["weather", "other"]
            os.kill(process.pid, signal.SIGKILL)
            process.wait(30)
            assert present(store) == [HERE]
            sweep(store)
            assert present(store) == [HERE]
            assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": 1}', '"x"'])
def test_a_file_that_is_none_of_ours_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.db-proxy-00.json").write_text(text)
    (tmp_path / "s.db-proxy-01.json").mkdir()
    assert present(tmp_path / "s.db") == []
    sweep(tmp_path / "s.db")


def test_one_that_cannot_be_made_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), announced(tmp_path / "none" / "s.db", HERE):
        pass
    assert present(tmp_path / "none" / "s.db") == []
