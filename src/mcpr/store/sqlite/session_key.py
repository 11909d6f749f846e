"""The key that session ids are hashed with: random, made once for each store, never shown."""

import os
import secrets
from contextlib import closing
from pathlib import Path

from mcpr.errors import StoreError
from mcpr.store.sqlite.database import explained, open_for_writing

KEY_BYTES = 32


def session_key(path: str | os.PathLike[str]) -> bytes:
    """The store's key, 32 bytes, the same for every process; makes store and key if need be.

    Raises StoreError.
    """
    path = Path(path)
    with (
        closing(open_for_writing(path)) as connection,
        explained(f"cannot read the store {path}", path),
    ):
        question = "SELECT value FROM meta WHERE key = 'session_key'"
        row = connection.execute(question).fetchone()
        if row is None:
            # Whoever comes first wins, and everybody reads what is there.
            connection.execute(
                "INSERT INTO meta (key, value) VALUES ('session_key', ?) ON CONFLICT DO NOTHING",
                (secrets.token_bytes(KEY_BYTES),),
            )
            row = connection.execute(question).fetchone()
    (key,) = row
    if not isinstance(key, bytes) or len(key) != KEY_BYTES:
        raise StoreError(
            f"cannot use the store {path}",
            "its key for session ids is damaged",
            "move the file away; mcpr then starts a new one",
            "store.damaged",
        )
    return key
