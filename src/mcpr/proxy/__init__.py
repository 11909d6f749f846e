"""The proxy program: handler on the data plane, recorder, companion process, admin pages."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcpr.settings import RunSettings

__all__ = ["run"]


def run(settings: "RunSettings") -> int:
    """Run the proxy until it is told to stop. Returns the exit code."""
    # The companion imports this room, too, and needs none of the data plane.
    from mcpr.proxy.app import run as run_app  # noqa: PLC0415 - for the reason above

    return run_app(settings)
