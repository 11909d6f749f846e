"""Settings as a file again: a commented one to begin with, and the whole of what was read.

Both are valid TOML; what was read can be a file itself, but for its secrets.
"""

import textwrap
from collections.abc import Iterator

from mcpr.settings.fields import Key, keys_of
from mcpr.settings.kinds import MapOf, Table
from mcpr.settings.mistakes import Place
from mcpr.settings.places import KeyPath
from mcpr.settings.reading import Reading
from mcpr.settings.reference import default_of, toml

HIDDEN = "(secret)"
_WIDTH = 88
_HEAD = """\
# Settings of mcpr, the proxy before an MCP server. Check them with `mcpr validate`.
# What begins with # is not in force; it shows the default, or an example where there is none.
# ${NAME} is a variable of the environment, ${NAME:-text} one with a default, ${file:/path} a file.
#
# For editors that check TOML (Taplo): mcpr config schema > mcpr.schema.json
#:schema ./mcpr.schema.json
"""


def template(model: type, mcp: str) -> str:
    """A commented file, of which only the key `mcp` is in force."""
    lines = [_HEAD]
    for key in _plain(model):
        lines += _commented(key, mcp if key.name == "mcp" else None)
    for name, key in keys_of(model).items():
        if isinstance(key.kind, Table) and not key.kind.many:
            lines += _tables(key.kind, name, is_optional=key.default is None)
    return "\n".join(lines)


def _tables(kind: Table, name: str, *, is_optional: bool) -> Iterator[str]:
    """A table and those within; the head of one that need not be there is not in force."""
    yield f"# {(kind.model.__doc__ or '').strip().partition(chr(10))[0]}"
    head = f"[[{name}]]" if kind.many else f"[{name}]"
    yield from (f"#{head}" if is_optional else head, "")
    for key in _plain(kind.model):
        yield from _commented(key, None)
    for key in keys_of(kind.model).values():
        if isinstance(key.kind, Table):
            yield from _tables(key.kind, f"{name}.{key.name}", is_optional=True)


def dump(reading: Reading) -> str:
    """Everything that is in force, with where it comes from; secrets are hidden."""
    return "\n".join(_table(reading, reading.model, ())) + "\n"


def _plain(model: type) -> Iterator[Key]:
    return (key for key in keys_of(model).values() if not isinstance(key.kind, Table))


def _commented(key: Key, value: str | None) -> list[str]:
    said = key.about.help
    if key.about.default is not None:
        said += f" Default: {key.about.default}."
    lines = [f"# {line}" for line in textwrap.wrap(said, _WIDTH)]
    if value is not None:
        return [*lines, f"{key.name} = {toml(value)}", ""]
    example = key.about.example
    is_empty = key.default is None or key.default in ((), {})
    if key.about.default is None and not is_empty:
        example = toml(key.kind.show(key.default))
    return [*lines, f"#{key.name} = {example}" if example else "#", ""]


def _table(reading: Reading, table: object, path: KeyPath) -> Iterator[str]:
    keys = keys_of(type(table)).values()
    rows = [
        _row(reading, key, getattr(table, key.name), (*path, key.name))
        for key in keys
        if not isinstance(key.kind, Table)
    ]
    width = max((len(pair) for pair, _ in rows if len(pair) < _WIDTH), default=0)
    for pair, origin in rows:
        yield f"{pair:<{width}}  # {origin}"
    for key in keys:
        if isinstance(key.kind, Table):
            value = getattr(table, key.name)
            dotted = ".".join(str(part) for part in (*path, key.name) if isinstance(part, str))
            if key.kind.many:
                for number, each in enumerate(value):
                    yield from ("", f"[[{dotted}]]")
                    yield from _table(reading, each, (*path, key.name, number))
            elif value is not None:
                yield from ("", f"[{dotted}]")
                yield from _table(reading, value, (*path, key.name))


def _row(reading: Reading, key: Key, value: object, path: KeyPath) -> tuple[str, str]:
    place: Place | None = reading.places.get(path)
    origin = "default" if place is None else str(place)
    if value is None:
        return f"#{key.name}", f"not set: {default_of(key)}"
    shown = key.kind.show(value)
    is_secret = key.about.secret and place is not None
    if is_secret or any(secret[: len(path)] == path for secret in reading.secret_paths):
        is_map = isinstance(key.kind, MapOf) and isinstance(shown, dict)
        shown = dict.fromkeys(shown, HIDDEN) if is_map and isinstance(shown, dict) else HIDDEN
    return f"{key.name} = {toml(shown)}", origin
