"""cli/run: the options of the proxy reach it, and it ends as it should."""

import re
import signal
import sqlite3
import subprocess
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.test_commands import MCPR
from tests.store.processes import running

from mcpr.errors import Exit

NOWHERE = "http://127.0.0.1:9/mcp"


@pytest.mark.parametrize("command", [["run"], ["proxy", "run"]], ids=" ".join)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_proxy_listens_records_and_ends_when_told(
    tmp_path: Path, command: list[str], number: signal.Signals
) -> None:
    path = tmp_path / "s.db"
    options = ["--port", "0", "--db", str(path), "--name", "mine", "--log", "off", "--admin", "off"]
    arguments = [str(MCPR), *command, NOWHERE, *options]
    with running(arguments, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = None
        while url is None:
            line = process.stdout.readline()
            assert line, "it ended before it listened"
            url = re.search(r"http://127\.0\.0\.1:\d+", line)
        with pytest.raises(urllib.error.HTTPError) as answered:
            urllib.request.urlopen(f"{url.group()}/mcp", timeout=30)
        answered.value.close()
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert answered.value.code == 502
    assert process.returncode == Exit.OK
    assert "published=1 written=1 rejected=0 dropped=0" in said
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT server, outcome FROM requests").fetchall() == [
            ("mine", "unreachable")
        ]
