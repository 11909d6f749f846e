"""The machine: versions of Python and libraries, descriptors, the clock."""

import importlib.metadata
import platform
import resource
import sqlite3
from collections.abc import Iterator

from mcpr import __version__
from mcpr.cli.checkup.finding import Finding

#: What every installation has. uvloop is missing where there is no wheel of it.
_LIBRARIES = ("click", "msgspec", "starlette", "uvicorn", "uvloop", "prometheus-client")
_ENOUGH_DESCRIPTORS = 4_096
#: 2026-01-01: no clock of a machine that runs this is earlier.
_EARLIEST_MS = 1_767_225_600_000
_LATEST_MS = 4_102_444_800_000


def machine(now_ms: int) -> Iterator[Finding]:
    """All of it."""
    yield _versions()
    yield _libraries()
    yield _descriptors()
    yield _clock(now_ms)


def _versions() -> Finding:
    said = (
        f"mcpr {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )
    return Finding("versions", "ok", said)


def _libraries() -> Finding:
    found, missing = [], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    said = ", ".join(found)
    if missing == ["uvloop"]:
        return Finding("libraries", "warn", f"{said}; no uvloop: calls cost more", "install uvloop")
    if missing:
        return Finding("libraries", "fail", f"missing: {', '.join(missing)}", "install mcpr again")
    return Finding("libraries", "ok", said)


def _descriptors() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= _ENOUGH_DESCRIPTORS:
        return Finding("descriptors", "ok", "no limit" if hard < 0 else f"{hard} may be open")
    return Finding(
        "descriptors",
        "warn",
        f"only {hard} may be open, and an exchange needs two",
        "raise the limit (ulimit -n; LimitNOFILE= of a systemd unit)",
    )


def _clock(now_ms: int) -> Finding:
    if _EARLIEST_MS <= now_ms < _LATEST_MS:
        return Finding("clock", "ok", "the year can be")
    return Finding(
        "clock",
        "fail",
        "the machine's clock is years off, so all times of the record will be",
        "set it, and keep it set (NTP)",
    )
