"""What `make build` makes: all that mcpr needs, nothing else, and the same bytes each time."""

import email
import os
import re
import tomllib
from pathlib import Path

import pytest
from tests.packaging.building import ROOT, Release, build, copy_sources, unpack

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
INFO = re.compile(r"mcpr-[^/]+\.dist-info/")
STRAY = (
    ".env",
    "notes.txt",
    "src/mcpr/.env",
    "src/mcpr/store.db",
    "src/mcpr/store/sqlite/migrations/0001_initial.sql.orig",
    "src/mcpr/__pycache__/errors.cpython-311.pyc",
    "src/notes.py",
    "tests/test_a.py",
    "node_modules/a.js",
    "docs/index.md",
)


def package_files() -> set[str]:
    """The package as it lies in the tree, without what Python leaves there."""
    return {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src/mcpr").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_the_license_and_nothing_else(release: Release) -> None:
    names = release.in_wheel().keys()
    assert {name for name in names if not INFO.match(name)} == package_files()
    assert {INFO.sub("", name) for name in names if INFO.match(name)} == {
        *("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    }


@pytest.mark.parametrize("name", ["mcpr/py.typed", "mcpr/store/sqlite/migrations/0001_initial.sql"])
def test_what_is_no_code_is_in_the_wheel(name: str, release: Release) -> None:
    assert name in release.in_wheel()


def test_the_sdist_holds_what_the_wheel_is_made_of_and_nothing_else(release: Release) -> None:
    ours = {name for name in release.in_sdist() if not name.startswith("src/")}
    assert {name[4:] for name in release.in_sdist() - ours} == package_files()
    assert ours == {
        *("CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml"),
        *(".gitignore", "PKG-INFO"),  # These two the build adds by itself.
    }


def test_what_lies_in_the_tree_by_accident_is_not_released(
    release: Release, tmp_path: Path
) -> None:
    tree = copy_sources(tmp_path / "tree")
    for name in STRAY:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("a secret")
    littered = build(tree)
    assert littered.wheel.read_bytes() == release.wheel.read_bytes()
    assert littered.sdist.read_bytes() == release.sdist.read_bytes()


def test_the_same_tree_gives_the_same_bytes_whenever_and_wherever_it_is_built(
    release: Release, tmp_path: Path
) -> None:
    tree = copy_sources(tmp_path / "elsewhere")
    for path in tree.rglob("*"):
        os.utime(path, (1, 2_000_000_000))
        path.chmod(0o700 if path.is_dir() else 0o600)
    again = build(tree)
    assert again.wheel.read_bytes() == release.wheel.read_bytes()
    assert again.sdist.read_bytes() == release.sdist.read_bytes()


def test_source_date_epoch_dates_everything(release: Release, tmp_path: Path) -> None:
    one = build(copy_sources(tmp_path / "one"), SOURCE_DATE_EPOCH="1790000000")
    other = build(copy_sources(tmp_path / "other"), SOURCE_DATE_EPOCH="1790000000")
    assert one.wheel.read_bytes() == other.wheel.read_bytes() != release.wheel.read_bytes()
    assert one.sdist.read_bytes() == other.sdist.read_bytes() != release.sdist.read_bytes()
    assert one.in_wheel() == release.in_wheel()


def test_the_sdist_gives_the_same_wheel(release: Release, tmp_path: Path) -> None:
    tree = unpack(release.sdist, tmp_path / "unpacked")
    assert build(tree, "wheel").wheel.read_bytes() == release.wheel.read_bytes()


def test_the_wheel_says_what_it_is(release: Release) -> None:
    (name,) = [name for name in release.in_wheel() if name.endswith("/METADATA")]
    says = email.message_from_bytes(release.in_wheel()[name])
    assert (says["Name"], says["License-Expression"]) == ("mcpr", "Apache-2.0")
    assert says["Requires-Python"] == PROJECT["requires-python"]
    assert set(says.get_all("Provides-Extra", [])) == set(PROJECT.get("optional-dependencies", {}))
