"""The model as JSON Schema, for editors: what completes and checks `mcpr.toml` while it is written.

It allows all that mcpr takes, and not everything that mcpr refuses: what depends on the environment
or on other keys is beyond it. Source: JSON Schema, draft 7, which editors of TOML know.
"""

import json
from typing import Any

from mcpr.settings.fields import Key, keys_of
from mcpr.settings.kinds import Json, Kind, ListOf, MapOf, Table

#: `${…}` may stand for any value; what it will be, no editor knows.
_SUBSTITUTED: Json = {"type": "string", "pattern": "\\$\\{"}


def json_schema(model: type) -> Json:
    """The schema of a file that is read by this model."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "mcpr.toml",
        **_object(model),
    }


def text(model: type) -> str:
    """The schema as it is kept in a file."""
    return json.dumps(json_schema(model), indent=2, ensure_ascii=False) + "\n"


def _object(model: type) -> Json:
    keys = keys_of(model)
    needed = [name for name, key in keys.items() if key.is_needed]
    return {
        "description": (model.__doc__ or "").strip(),
        "type": "object",
        "additionalProperties": False,
        **({"required": needed} if needed else {}),
        "properties": {name: _property(key) for name, key in keys.items()},
    }


def _property(key: Key) -> Json:
    kind = key.kind
    if isinstance(kind, Table):
        inner = _object(kind.model)
        return {"type": "array", "items": inner} if kind.many else inner
    default: Any = None if key.default is None else kind.show(key.default)
    words = key.about.help
    if key.about.default is not None:
        words += f" Default: {key.about.default}."
        default = None
    known = {"default": default} if default is not None else {}
    return {"description": words, **known, **_value(kind)}


def _value(kind: Kind) -> Json:
    if isinstance(kind, ListOf):
        return _or_substituted({"type": "array", "items": _value(kind.item)})
    if isinstance(kind, MapOf):
        return _or_substituted({"type": "object", "additionalProperties": _value(kind.item)})
    schema = kind.json_schema()
    return schema if schema == {"type": "string"} else _or_substituted(schema)


def _or_substituted(schema: Json) -> Json:
    return {"anyOf": [schema, _SUBSTITUTED]}
