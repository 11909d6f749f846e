"""What is wrong with the settings: every mistake with its place, its reason and the next step.

A mistake never quotes a value that is a secret, or that was read from a file or the environment.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mcpr.errors import UsageError


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: a file with a line, a variable of the environment, an option.

    order: command line 0, environment 1, file 2; with the line, the order in which to read.
    """

    source: str
    line: int | None = None
    order: int = 2

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong. key: dotted, such as `limits.exchanges`; empty for a whole file."""

    place: Place
    key: str
    reason: str
    next_step: str

    def __str__(self) -> str:
        about = f"{self.place}: {self.key}: " if self.key else f"{self.place}: "
        return f"{about}{self.reason}. {self.next_step[:1].upper()}{self.next_step[1:]}."


class SettingsError(UsageError):
    """The settings are wrong; `mistakes` has all that is, in the order of the file."""

    code = "settings.wrong"

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(
            mistakes, key=lambda each: (each.place.order, each.place.line or 0, each.key)
        )
        count = len(self.mistakes)
        number = "one mistake" if count == 1 else f"{count} mistakes"
        super().__init__("cannot use these settings", number, "mend what is listed and try again")

    @property
    def lines(self) -> list[str]:
        """The mistake, or a head line and one line for each of them."""
        if len(self.mistakes) == 1:
            return [str(self.mistakes[0])]
        return [
            f"{self.what}: {self.why}.",
            *(f"  {mistake}" for mistake in self.mistakes),
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines)


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that was probably meant."""
    folded = {each.lower().replace("-", "_"): each for each in known}
    found = difflib.get_close_matches(
        word.lower().replace("-", "_"), list(folded), n=1, cutoff=0.55
    )
    return folded[found[0]] if found else None


def choices(words: Iterable[str]) -> str:
    """The words as people list them: `a, b or c`."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
