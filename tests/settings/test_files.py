"""settings/files: small files are read whole, and nothing keeps the reader waiting."""

import os
from pathlib import Path

import pytest

from mcpr.settings.files import read_file, signature_of


def test_a_file_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"12345")
    assert read_file(path, 5) == b"12345"
    assert read_file(path, 4) is None


def test_a_pipe_that_nobody_writes_to_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="It is a pipe"):
        read_file(path, 5)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path, 5)


def test_a_file_that_is_written_or_replaced_has_another_signature(tmp_path: Path) -> None:
    path, fresh = tmp_path / "f", tmp_path / "g"
    assert signature_of(path) is None
    path.write_text("a")
    first = signature_of(path)
    assert first == signature_of(path)
    path.write_text("bc")
    second = signature_of(path)
    fresh.write_text("bc")
    fresh.replace(path)
    assert len({first, second, signature_of(path)}) == 3
