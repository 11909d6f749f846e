"""What ties a request to others: operations of several requests, the end of a session.

It stands beside the event as text, on this machine only; most events have none.
"""

import msgspec


class Link(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What ties a request to others. Keyed hashes of 32 hex digits, for this machine only.

    asks: of the `requestState` that its answer handed out; empty if it asked for input without one.
    answers: of the `requestState` that it gave back; empty if it brought input without one.
    task: of the id of the task that it began or spoke of. status: of that task, as the answer said.
    retry: of what a call asked for whose session was lost, and of the call that asked for it again.
    opens, ends: it began, or ended, its session.
    server_name, server_version: who answered, where that was said.
    """

    asks: str | None = None
    answers: str | None = None
    task: str | None = None
    status: str | None = None
    retry: str | None = None
    opens: bool = False
    ends: bool = False
    server_name: str | None = None
    server_version: str | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Link).decode
_NO_LINK = Link()


def link_text(link: Link) -> str | None:
    """The link as text; None for one that ties nothing."""
    return None if link == _NO_LINK else _encode(link).decode()


def read_link(text: str | None) -> Link:
    """The link that a text says; without a text, and for what is none, one that ties nothing."""
    if text is None:
        return _NO_LINK
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        # Only somebody else's hand can have put it there.
        return _NO_LINK
