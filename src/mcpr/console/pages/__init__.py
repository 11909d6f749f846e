"""The pages, in the order of their tabs. A new one is a file, a template and a line here."""

from mcpr.console.pages import (
    agents,
    clients,
    errors,
    latency,
    logs,
    overview,
    schema,
    servers,
    sessions,
    settings,
    slow,
    store,
    tools,
)
from mcpr.console.pages.page import Page, SinkState, Surroundings

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    tools.PAGE,
    tools.ONE,
    slow.PAGE,
    errors.PAGE,
    errors.ONE,
    sessions.PAGE,
    sessions.ONE,
    clients.PAGE,
    latency.PAGE,
    logs.PAGE,
    agents.PAGE,
    schema.PAGE,
    schema.DIFF,
    servers.PAGE,
    store.PAGE,
    settings.PAGE,
)

__all__ = ["PAGES", "Page", "SinkState", "Surroundings"]
