"""Says beside the store that this proxy runs, so that `mcpr status` finds it. ADR 0015."""

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator

from mcpr import __version__
from mcpr.serving import presence
from mcpr.settings import RunSettings

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def announced(
    settings: RunSettings, port: int, admin_url: str | None
) -> Iterator[Callable[[RunSettings], None]]:
    """Be found as long as it lasts; where no file can be made, say so and go on.

    Gives a function that tells of other settings from then on.
    """
    since_ms = time.time_ns() // 1_000_000

    def presence_of(settings: RunSettings) -> presence.Presence:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        return presence.Presence(
            pid=os.getpid(),
            version=__version__,
            since_ms=since_ms,
            server=settings.name,
            upstream=str(settings.upstream),
            url=f"http://{host}:{port}{settings.upstream.path}",
            admin=admin_url,
        )

    presence.sweep(settings.db)
    with contextlib.ExitStack() as stack:
        try:
            say = stack.enter_context(presence.announced(settings.db, presence_of(settings)))
        except OSError as error:
            _complain(error)
            yield lambda _: None
            return

        def renew(settings: RunSettings) -> None:
            try:
                say(presence_of(settings))
            except OSError as error:
                _complain(error)

        yield renew


def _complain(error: OSError) -> None:
    why = error.strerror or str(error)
    _log.warning("`mcpr status` will not find this proxy by itself: %s", why)
