"""What a promise is."""

from dataclasses import dataclass

LATER = "later"
"""Where no issue is open yet."""

ISSUES = (*"ABCDEFGHIJ", LATER)


@dataclass(frozen=True)
class Requirement:
    """One promise: its id, what it says, what proves it, who builds the rest."""

    id: str
    sentence: str
    tests: tuple[str, ...] = ()
    to_build: tuple[str, ...] = ()
    planted: tuple[str, ...] = ()
