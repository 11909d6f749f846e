"""The question "which widgets does a server have?": one row for each, by its last policy."""

from dataclasses import dataclass

from mcpr.store.engine import EventStore


@dataclass(frozen=True, slots=True)
class WidgetRow:
    """A widget as it was seen last. declared: what its server says, JSON, sources by directive.

    emitted: what its host was told. first_ms, last_ms: of the widget, epoch ms. drift: how many
    other policies its server declared before. changed_ms: when the one that stands was seen first.
    """

    server: str
    uri: str
    declared: str
    emitted: str
    first_ms: int
    last_ms: int
    changed_ms: int
    drift: int


def widgets(store: EventStore, server: str | None = None) -> list[WidgetRow]:
    """Every widget that passed while policies were rewritten, by server and URI."""
    rows: dict[tuple[str, str], WidgetRow] = {}
    declared: dict[tuple[str, str], dict[str, int]] = {}
    for policy in store.offered.widgets(server):
        key = (policy.server, policy.uri)
        before = rows.get(key)
        known = declared.setdefault(key, {})
        known[policy.declared] = min(policy.first_ms, known.get(policy.declared, policy.first_ms))
        rows[key] = WidgetRow(
            server=policy.server,
            uri=policy.uri,
            declared=policy.declared,
            emitted=policy.emitted,
            first_ms=policy.first_ms if before is None else min(before.first_ms, policy.first_ms),
            last_ms=policy.last_ms,
            changed_ms=known[policy.declared],
            drift=len(known) - 1,
        )
    return [rows[key] for key in sorted(rows)]
