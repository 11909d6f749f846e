"""Builds wheel and sdist as `make build` does, from a copy of the tree; reads what is in them."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 120.0

#: What the build reads. Nothing else of the tree may matter to it.
SOURCES = ("src", "README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", ".gitignore")


@dataclass(frozen=True)
class Release:
    """The two files of one build."""

    wheel: Path
    sdist: Path

    def in_wheel(self) -> dict[str, bytes]:
        """Name → bytes."""
        with zipfile.ZipFile(self.wheel) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def in_sdist(self) -> set[str]:
        """The names below the sdist's one folder."""
        with tarfile.open(self.sdist) as archive:
            names = [member.name.partition("/") for member in archive if member.isfile()]
        (folder,) = {top for top, _, _ in names}
        assert f"{folder}.tar.gz" == self.sdist.name
        return {name for _, _, name in names}


def copy_sources(target: Path) -> Path:
    """A tree with the project's own files in it and nothing else."""
    target.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / name, target / name, ignore=ignore)
        else:
            shutil.copy2(ROOT / name, target / name)
    return target


def build(tree: Path, *targets: str, **environment: str) -> Release:
    """Both files, or the ones named, into `dist` of the tree."""
    command = [sys.executable, "-m", "hatchling", "build", *(f"-t{name}" for name in targets)]
    variables = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    subprocess.run(
        command,
        cwd=tree,
        env={**variables, **environment},
        check=True,
        timeout=WAIT_SECONDS,
        capture_output=True,
    )
    dist = tree / "dist"
    return Release(
        next(iter(dist.glob("*.whl")), dist / "none.whl"),
        next(iter(dist.glob("*.tar.gz")), dist / "none.tar.gz"),
    )


def unpack(sdist: Path, target: Path) -> Path:
    """The folder of an unpacked sdist."""
    with tarfile.open(sdist) as archive:
        archive.extractall(target, filter="data")
    (folder,) = target.iterdir()
    return folder
