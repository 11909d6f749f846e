"""The settings in force and where each comes from, without secrets."""

from collections.abc import Mapping
from typing import Any

from mcpr.console.asking import Ask
from mcpr.console.pages.page import Page, Surroundings
from mcpr.store import EventStore


def view(_store: EventStore, _ask: Ask, around: Surroundings) -> Mapping[str, Any]:
    """What the page shows."""
    return {"config": around.config()}


PAGE = Page("settings", "Settings", "c", view, since=None)
