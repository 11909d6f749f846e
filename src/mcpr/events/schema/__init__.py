"""What a server offers, compared: canonical form, differences, and how bad they are.

A schema is one list of a server: its tools, prompts, resources or templates, or what it says of
itself. Pure, and below `store`, because the same comparison is made when a change is recorded, when
somebody asks for the difference of two versions, and when a page shows it.
"""

from mcpr.events.schema.canonical import Item, canonical, items_of, list_hash
from mcpr.events.schema.diff import Change, Diff, compare
from mcpr.events.schema.event import SchemaEvent, decode, encode
from mcpr.events.schema.lists import LISTS, ListName, Verdict, worst
from mcpr.events.schema.suspicion import suspicions

__all__ = [
    "LISTS",
    "Change",
    "Diff",
    "Item",
    "ListName",
    "SchemaEvent",
    "Verdict",
    "canonical",
    "compare",
    "decode",
    "encode",
    "items_of",
    "list_hash",
    "suspicions",
    "worst",
]
