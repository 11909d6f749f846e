"""cli/version: what is running here."""

import json
import platform
import sqlite3

from tests.cli.asking import ask

from mcpr import __version__


def test_version_tells_what_a_bug_report_needs() -> None:
    answer = ask("version", "-o", "json")
    assert json.loads(answer.out) == {
        "mcpr": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "platform": platform.platform(),
    }


def test_version_as_text_begins_with_the_version() -> None:
    lines = ask("version").out.splitlines()
    assert lines[0] == f"mcpr {__version__}"
    assert lines[2] == f"sqlite {sqlite3.sqlite_version}"
