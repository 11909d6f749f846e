"""Reads a Dockerfile: its instructions in their order, continued lines joined, comments gone."""

import re
from typing import NamedTuple


class Instruction(NamedTuple):
    """Such as `RUN` and everything behind it."""

    name: str
    value: str


def read(text: str) -> list[Instruction]:
    """The instructions of a Dockerfile without here-documents and parser directives."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
    return [Instruction(name.upper(), value.strip()) for name, _, value in found]


def stages(text: str) -> list[list[Instruction]]:
    """The instructions of each stage, from its FROM on."""
    found: list[list[Instruction]] = []
    for instruction in read(text):
        if instruction.name == "FROM":
            found.append([])
        if found:
            found[-1].append(instruction)
    return found
