"""The model as a page for people: the tables of docs/reference/settings.md."""

import json
from collections.abc import Iterator, Mapping

from mcpr.settings.fields import Key, keys_of
from mcpr.settings.kinds import Choice, Kind, ListOf, MapOf, Table
from mcpr.settings.places import KeyPath


def reference(model: type) -> str:
    """A section for the keys at the top, and one for each table, in Markdown."""
    return "\n".join(_sections(model, (), "## Keys at the top"))


def toml(value: object) -> str:
    """A value as TOML writes it. Source: TOML 1.0.0."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{json.dumps(str(key))} = {toml(each)}" for key, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    # JSON escapes as TOML does, but for DEL, which it leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def default_of(key: Key) -> str:
    """The default in words: as the key says it, else as a file would have it."""
    if key.about.default is not None:
        return key.about.default
    return "none" if key.default is None else f"`{toml(key.kind.show(key.default))}`"


def unit_of(kind: Kind) -> str:
    """What kind of value it is, in a word or two."""
    if isinstance(kind, Choice):
        return ", ".join(f'`"{word}"`' for word in kind.words)
    if isinstance(kind, ListOf):
        return f"list: {unit_of(kind.item)}"
    if isinstance(kind, MapOf):
        return f"table: {unit_of(kind.item)}"
    return kind.name


def _sections(model: type, path: KeyPath, head: str) -> Iterator[str]:
    keys = keys_of(model)
    yield from (head, "", (model.__doc__ or "").strip(), "")
    yield "| key | value | default | changes by | |"
    yield "|---|---|---|---|---|"
    for key in keys.values():
        if not isinstance(key.kind, Table):
            yield _row(key)
    yield ""
    for name, key in keys.items():
        if isinstance(key.kind, Table):
            inner = (*path, name)
            dotted = ".".join(map(str, inner))
            head = f"## `[[{dotted}]]`" if key.kind.many else f"## `[{dotted}]`"
            if key.about.inherits:
                yield from (head, "", (key.kind.model.__doc__ or "").strip(), "")
                yield f"The first keys of `[{key.about.inherits}]`, as far as this list goes:"
                yield f"{', '.join(f'`{each}`' for each in keys_of(key.kind.model))}."
                yield ""
            else:
                yield from _sections(key.kind.model, inner, head)


def _row(key: Key) -> str:
    needed = "needed" if key.is_needed else _text(default_of(key))
    secret = " Secret: never shown." if key.about.secret else ""
    return f"| `{key.name}` | {unit_of(key.kind)} | {needed} | {_text(key.about.help)}{secret} |"


def _text(words: str) -> str:
    return words.replace("|", "\\|")
