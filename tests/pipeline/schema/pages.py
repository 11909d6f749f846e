"""Lists as servers page them, and a client that walks through."""

import json
from collections.abc import Sequence

from mcpr.pipeline.schema import Page, Passes, Snapshot

SERVER = "weather"


def tool(name: str, description: str = "") -> bytes:
    return json.dumps({"name": name, "description": description}).encode()


def pages(tools: Sequence[bytes], size: int, token: str = "c") -> list[Page]:
    """The list in pages of `size`; each but the first is asked for with the cursor before it."""
    cuts = list(range(0, len(tools), size)) or [0]
    cursors = [None, *(f"{token}{cut}" for cut in cuts[1:])]
    return [
        Page("tools", cursor, following, tuple(tools[cut : cut + size]))
        for cut, cursor, following in zip(cuts, cursors, [*cursors[1:], None], strict=True)
    ]


def walk(
    passes: Passes, found: Sequence[Page], caller: bytes = b"a", at: int = 0
) -> Snapshot | None:
    """Each page in turn; what the last one made."""
    snapshot = None
    for page in found:
        snapshot = passes.add(SERVER, caller, page, at)
    return snapshot


def names(snapshot: Snapshot | None) -> list[str]:
    assert snapshot is not None
    return [item.name for item in snapshot.items]
