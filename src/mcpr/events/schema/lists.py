"""The lists that a server has, and the words for how bad a change of one is."""

from collections.abc import Iterable
from typing import Final, Literal, get_args

ListName = Literal["tools", "prompts", "resources", "templates", "server"]
#: `breaking`: a call that worked may fail, or what a client relied on may be missing.
#: `risky`: calls go on working, and what a model decides may change.
#: `cosmetic`: neither. docs/reference/schema-verdicts.md has every rule.
Verdict = Literal["breaking", "risky", "cosmetic"]

LISTS: Final[tuple[ListName, ...]] = get_args(ListName)
#: By which member the items of a list are told apart. The server's parts are named by us.
KEYS: Final[dict[ListName, str]] = {
    "tools": "name",
    "prompts": "name",
    "resources": "uri",
    "templates": "uriTemplate",
    "server": "part",
}
_BADNESS: Final[dict[Verdict, int]] = {"cosmetic": 0, "risky": 1, "breaking": 2}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of them; `cosmetic` of none."""
    return max(verdicts, key=_BADNESS.__getitem__, default="cosmetic")
