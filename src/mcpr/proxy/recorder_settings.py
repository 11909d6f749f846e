"""What a recorder is told, and what it says once it has begun."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from mcpr.proxy.frames import AdminBind


@dataclass(frozen=True)
class RecorderSettings:
    """What to record into, and how much may wait.

    sinks: (name in SINKS, target) pairs; the first one's counts are the recorder's.
    admin: where the admin pages listen; None for none. See `admin_bind`.
    pipe_bytes: the most that may wait for the companion to read it.
    away_events: the most events that are kept while there is no companion.
    flush_seconds, flush_events: a batch is sent after this time, or at this size.
    start_seconds: how long a companion may take to get ready.
    has_plane: whether somebody will `tell` of a data plane.
    config: the settings, as people may see them.
    keeps_stdout: whether one of the sinks writes to stdout.
    pin, keep: see `Assignment`. pinned: told of the tools that may be called.
    command: the companion's program.
    """

    sinks: tuple[tuple[str, str], ...] = field(repr=False)
    admin: AdminBind | None = None
    pipe_bytes: int = 16 * 1024 * 1024
    away_events: int = 20_000
    flush_seconds: float = 0.01
    flush_events: int = 256
    start_seconds: float = 10.0
    has_plane: bool = False
    config: str = field(default="", repr=False)
    keeps_stdout: bool = False
    pin: tuple[str, bool] | None = None
    keep: tuple[int, int] | None = None
    pinned: Callable[[list[str] | None], None] | None = None
    # -P: a file of the directory that mcpr was started in must not pass for one of its modules.
    command: tuple[str, ...] = field(
        default=(sys.executable, "-P", "-m", "mcpr.proxy.companion"), repr=False
    )


@dataclass(frozen=True)
class Started:
    """A companion is ready. admin_url: the admin pages, such as http://127.0.0.1:9901."""

    admin_url: str | None
