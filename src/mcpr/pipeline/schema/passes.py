"""Pages into lists. A client's pass begins without a cursor and follows the cursors it is given.

A page belongs to the pass whose page gave its cursor to the same caller. So interleaved passes of
many clients do not mix, a page that is asked for twice changes nothing, and one that comes out of
turn, of which nobody gave the cursor, is not used. Only a pass that reached its last page is a
list; what a truncated one lacks was not removed.

Bounded: passes under way by number, by age and in bytes; what is given up is counted.
"""

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

from mcpr.events.schema import Item, ListName, items_of
from mcpr.pipeline.schema.passing import MAX_ITEMS, Page

MAX_PASSES: Final = 256
MAX_PASS_MS: Final = 120_000
MAX_PAGES: Final = 1_000
#: Of one pass, and of all that is kept of those under way: each page with all before it.
MAX_BYTES: Final = 64 * 1024 * 1024


class Snapshot(NamedTuple):
    """A whole list as one caller was shown it. size: bytes of its items as they were sent."""

    server: str
    which: ListName
    caller: bytes
    items: tuple[Item, ...]
    size: int
    pages: int
    ts_ms: int


class _Begun(NamedTuple):
    """A pass up to a cursor. size: bytes of all its texts; held: how many there are."""

    texts: tuple[tuple[bytes, ...], ...]
    size: int
    held: int
    began_ms: int


_Key = tuple[str, ListName, bytes, bytes]


class Passes:
    """The passes under way. Times in epoch ms; pages come in the order of their answers' ends.

    given_up: passes that were never finished, or grew too large. strays: pages whose cursor nobody
    is known to have given.
    """

    __slots__ = ("_begun", "_size", "given_up", "strays")

    def __init__(self) -> None:
        self._begun: dict[_Key, _Begun] = {}
        self._size = 0
        self.given_up = 0
        self.strays = 0

    def add(self, server: str, caller: bytes, page: Page, ts_ms: int) -> Snapshot | None:
        """One more page; the whole list when it was the last one."""
        self.sweep(ts_ms)
        begun = _Begun((), 0, 0, ts_ms)
        if page.cursor is not None:
            # Not taken away: a client may ask for a page twice, and go on from either answer.
            found = self._begun.get(_key(server, page.which, caller, page.cursor))
            if found is None or ts_ms - found.began_ms > MAX_PASS_MS:
                self.strays += 1
                return None
            begun = found
        size = begun.size + sum(map(len, page.texts))
        count = begun.held + len(page.texts)
        whole = _Begun((*begun.texts, page.texts), size, count, begun.began_ms)
        if page.next_cursor is None:
            return self._finish(server, caller, page.which, whole, ts_ms)
        if len(whole.texts) >= MAX_PAGES or count > MAX_ITEMS or size > MAX_BYTES:
            # A server that never comes to an end.
            self.given_up += 1
            return None
        self._remember(_key(server, page.which, caller, page.next_cursor), whole)
        return None

    def changed(self, server: str, which: Iterable[ListName]) -> None:
        """The server says that these lists changed: their passes would mix old and new pages."""
        wanted = {*which}
        for key in [key for key in self._begun if key[0] == server and key[1] in wanted]:
            self._drop(key)

    def sweep(self, now_ms: int) -> None:
        """Give up on passes that began too long ago."""
        while self._begun:
            key, begun = next(iter(self._begun.items()))
            if now_ms - begun.began_ms <= MAX_PASS_MS:
                return
            self._drop(key)
            self.given_up += 1

    def _finish(
        self, server: str, caller: bytes, which: ListName, whole: _Begun, ts_ms: int
    ) -> Snapshot:
        for key in [
            key
            for key, begun in self._begun.items()
            if key[:3] == (server, which, caller) and begun.began_ms == whole.began_ms
        ]:
            self._drop(key)
        texts = [text for page in whole.texts for text in page]
        items = items_of(which, texts)
        return Snapshot(server, which, caller, items, whole.size, len(whole.texts), ts_ms)

    def _remember(self, key: _Key, begun: _Begun) -> None:
        if key in self._begun:
            self._drop(key)
        self._begun[key] = begun
        self._size += begun.size
        while len(self._begun) > MAX_PASSES or self._size > MAX_BYTES:
            self._drop(next(iter(self._begun)))
            self.given_up += 1

    def _drop(self, key: _Key) -> None:
        self._size -= self._begun.pop(key).size

    def __len__(self) -> int:
        return len(self._begun)


def _key(server: str, which: ListName, caller: bytes, cursor: str) -> _Key:
    # A cursor is the server's text, of any size.
    text = cursor.encode("utf-8", "surrogatepass")
    return server, which, caller, hashlib.sha256(text).digest()[:16]
