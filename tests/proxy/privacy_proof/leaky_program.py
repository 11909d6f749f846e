"""The proxy of the privacy proof with a leak planted in it. Arguments: the leak, then its own.

The companion is this program, too, for leaks that belong there.
"""

import sys
from dataclasses import replace

# The sinks are looked up here, by their names.
from tests.privacy.altered_program import (  # noqa: F401
    ALTERATIONS,
    CountingSink,
    DetailedSink,
)

from mcpr.proxy import app, companion
from mcpr.proxy.privacy_proof import program
from mcpr.proxy.recorder import RecorderSettings
from mcpr.settings import RunSettings


def main() -> int:
    """Be the proxy, or its companion."""
    role, name, *_ = sys.argv[1:]
    if role == "companion":
        ALTERATIONS[name]()
        companion.main()
        return 0
    ALTERATIONS[role]()
    shipped = app._recorder_settings

    def settings(asked: RunSettings) -> RecorderSettings:
        command = (sys.executable, "-P", __file__, "companion", role)
        return replace(shipped(asked), command=command)

    vars(app)["_recorder_settings"] = settings
    return program.main()


if __name__ == "__main__":
    sys.exit(main())
