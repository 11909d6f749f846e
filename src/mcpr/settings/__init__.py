"""What did the operator ask for? Read once, then frozen; or all its mistakes at once.

`mcpr.toml`, the environment and the command line become one model (`model.py`), table by table;
`fields.py` tells how to add a key or a table.
"""

from mcpr.settings.mistakes import Mistake, Place, SettingsError
from mcpr.settings.model import Settings
from mcpr.settings.run import Asked, RunSettings, ask
from mcpr.settings.tables.log import LogForm
from mcpr.settings.upstream_url import UpstreamUrl

__all__ = [
    "Asked",
    "LogForm",
    "Mistake",
    "Place",
    "RunSettings",
    "Settings",
    "SettingsError",
    "UpstreamUrl",
    "ask",
]
