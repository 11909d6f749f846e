"""The store as one SQLite file, written in batches and readable at the same time.

`database` opens and migrates, `writer` writes, `questions` reads, `blocks` is how rows are found,
`rollups` sums up closed hours, `rolled` answers from sums, `session_key` keeps the key that session
ids are hashed with, `vacuum` gives space back. The schema is in `migrations/`, one numbered file
for each step.
"""

from mcpr.store.sqlite.questions import SqliteEventStore
from mcpr.store.sqlite.rollups import Rolled, rebuild
from mcpr.store.sqlite.session_key import session_key
from mcpr.store.sqlite.vacuum import Held, Vacuumed, survey, vacuum
from mcpr.store.sqlite.writer import Writer

__all__ = [
    "Held",
    "Rolled",
    "SqliteEventStore",
    "Vacuumed",
    "Writer",
    "rebuild",
    "session_key",
    "survey",
    "vacuum",
]
