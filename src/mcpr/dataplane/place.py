"""How an exchange is counted by the pool it goes through."""

from enum import IntEnum


class Place(IntEnum):
    """An exchange holds at most one place; whoever ends it gives it back."""

    NONE = 0
    EXCHANGE = 1
    STREAM = 2
