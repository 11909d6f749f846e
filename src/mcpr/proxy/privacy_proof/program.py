"""The proxy of the proof: the user's settings, with nothing of theirs that it could touch.

Arguments: a folder for all that it writes, the URL of the echo, and the settings file or `-`.
Server, addresses and store are replaced; all else is as the user has it.
"""

import sys
from dataclasses import replace
from pathlib import Path

from mcpr import proxy
from mcpr.settings import RunSettings, ask

STORE = "store/store.db"
ACCESS_LOG = "output/access.log"


def settings(folder: Path, echo: str, file: str) -> RunSettings:
    """What this proxy runs with. Raises SettingsError, UsageError."""
    asked, _ = ask(echo if file == "-" else file).read()
    here, _ = ask(echo, (), {}).read()
    # The access log is searched whether the user has one or not; theirs is left alone.
    log = replace(asked.model.log, access=str(folder / ACCESS_LOG))
    return replace(
        asked,
        upstream=here.upstream,
        host="127.0.0.1",
        port=0,
        db=folder / STORE,
        admin="127.0.0.1:0",
        # A change of the file in these seconds must not bring the user's server back.
        asked=None,
        # Without its token, the pages are searched, too.
        model=replace(asked.model, log=log, admin=replace(asked.model.admin, token=None)),
    )


def main() -> int:
    """Be that proxy until SIGTERM."""
    folder, echo, file = sys.argv[-3:]
    return proxy.run(settings(Path(folder), echo, file))


if __name__ == "__main__":
    sys.exit(main())
