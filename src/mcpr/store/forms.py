"""Rows as programs read them: JSON, NDJSON, CSV. The CLI and the JSON API give the same bytes.

Every field of a row, times in epoch ms, durations in µs, sizes in bytes. No form lets recorded text
drive a terminal or a spreadsheet.
"""

import csv
import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mcpr.store.window import Window

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# What makes a spreadsheet take a text for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def document(
    question: str,
    rows: Sequence["DataclassInstance"],
    window: Window | None,
    facts: Mapping[str, object] | None = None,
) -> str:
    """The whole answer as one object.

    window: None for an answer that is not about a span of time. facts: what it says besides.
    """
    return as_json(
        {
            "question": question,
            "window": None if window is None else dataclasses.asdict(window),
            **(facts or {}),
            "rows": [dataclasses.asdict(row) for row in rows],
        }
    )


def as_ndjson(rows: Sequence["DataclassInstance"]) -> str:
    """One object for each row."""
    return "".join(as_json(dataclasses.asdict(row)) for row in rows)


def as_csv(
    row: "type[DataclassInstance]", rows: Sequence["DataclassInstance"], *, has_head: bool
) -> str:
    """A head, if wanted, and a line for each row. row: the type of the rows."""
    fields = [field.name for field in dataclasses.fields(row)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if has_head:
        writer.writerow(fields)
    for one in rows:
        writer.writerow([_csv_cell(getattr(one, name)) for name in fields])
    return text.getvalue()


def as_json(value: Any) -> str:
    """One line of JSON."""
    # ASCII only: a C1 control or a change of direction in a name must not reach the terminal.
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n"


def printable(text: str) -> str:
    """The text with everything that a terminal could obey, or not show, as an escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _csv_cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if value.startswith(_FORMULA) else text
