"""One thing that was looked at, and how it is."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """check: what was looked at. why: how it is. next_step: what to do; empty where it is ok."""

    check: str
    state: State
    why: str
    next_step: str = ""
