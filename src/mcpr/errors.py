"""How we say that something went wrong: what, why, and what to do next.

Every error that a person may see is one of these. Only `cli` turns them into an exit code and
words on a terminal, only `proxy` into an HTTP answer.
"""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command; documented in docs/reference/cli.md."""

    OK = 0
    FAILED = 1
    USAGE = 2
    LOST_EVENTS = 3
    NOT_RUNNING = 4
    INTERRUPTED = 130


class McprError(Exception):
    """Something a person can act on.

    what: what could not be done, as a clause ("cannot open the store ~/.mcpr/store.db").
    why: the cause, in the words of whoever knows it ("the disk is full").
    next_step: what to do now ("free space, or name another file with --db").
    code: the name of this kind of error; `mcpr explain CODE` and docs/reference/errors have more.
    """

    exit = Exit.FAILED
    code = "mcpr.failed"

    def __init__(self, what: str, why: str, next_step: str, code: str | None = None) -> None:
        super().__init__(what, why, next_step)
        self.code = code or self.code
        self.what = what
        self.why = why
        self.next_step = next_step

    @property
    def lines(self) -> list[str]:
        """The error as lines of text; what it quotes of others' words never breaks one."""
        return [str(self)]

    def __str__(self) -> str:
        return f"{self.what}: {self.why}. {self.next_step[:1].upper()}{self.next_step[1:]}."


class UsageError(McprError):
    """The command line or a setting asks for something that cannot be."""

    exit = Exit.USAGE
    code = "usage.wrong"


class StoreError(McprError):
    """The store cannot be opened, read or written."""

    code = "store.failed"
