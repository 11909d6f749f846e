"""The proxy of the proof: the user's settings, with nothing of theirs that it could touch.

Arguments: a folder for all that it writes, the URLs of the echo and of the collector, and the
settings file or `-`. Server, addresses, store and collector are replaced; all else is as the user
has it.
"""

import sys
from dataclasses import replace
from pathlib import Path

from mcpr import proxy
from mcpr.settings import RunSettings, ask

STORE = "store/store.db"
ACCESS_LOG = "output/access.log"


def settings(folder: Path, echo: str, collector: str, file: str) -> RunSettings:
    """What this proxy runs with. Raises SettingsError, UsageError."""
    asked, _ = ask(echo if file == "-" else file).read()
    here, _ = ask(echo, (), {}).read()
    # The access log is searched whether the user has one or not; theirs is left alone.
    log = replace(asked.model.log, access=str(folder / ACCESS_LOG))
    otlp = asked.model.otlp
    if otlp.endpoint is not None:
        ours = ask(collector, (), {}).read()[0].upstream
        otlp = replace(otlp, endpoint=ours, headers={}, interval=1.0)
    # Without its token, the pages are searched, too.
    admin = replace(asked.model.admin, token=None)
    return replace(
        asked,
        upstream=here.upstream,
        host="127.0.0.1",
        port=0,
        db=folder / STORE,
        admin="127.0.0.1:0",
        # A change of the file in these seconds must not bring the user's server back.
        asked=None,
        model=replace(asked.model, log=log, admin=admin, otlp=otlp),
    )


def main() -> int:
    """Be that proxy until SIGTERM."""
    folder, echo, collector, file = sys.argv[-4:]
    return proxy.run(settings(Path(folder), echo, collector, file))


if __name__ == "__main__":
    sys.exit(main())
