"""What a dataclass says of its settings: the front door for whoever adds a table or a key.

    @dataclass(frozen=True, slots=True)
    class Cors:
        "Which browsers' pages may call."

        origins: tuple[str, ...] = field(
            default=(), metadata=about("Origins that may call.", example='["https://a.example"]')
        )

and one line in `settings/model.py`. The annotation gives the kind (see `kinds`), the docstring the
heading in the reference. Every key has a default; None means that it is not set. `reload=True` is a
promise that `proxy/plane.adopt` keeps. Afterwards: `python scripts/settings_reference.py`.
"""

from collections.abc import Hashable, Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any, NamedTuple, get_type_hints

from mcpr.settings.kinds import Kind, kind_of


class About(NamedTuple):
    """What a key's metadata says.

    help: one sentence for people. default: in words, where the value says too little.
    example: TOML of a value. secret: never shown. reload: a reload makes it work.
    inherits: the table whose keys of the same name are the defaults.
    """

    help: str
    default: str | None = None
    example: str | None = None
    secret: bool = False
    reload: bool = False
    inherits: str | None = None


def about(
    help: str,  # noqa: A002 - the word for it
    *,
    default: str | None = None,
    example: str | None = None,
    secret: bool = False,
    reload: bool = False,
    inherits: str | None = None,
) -> Mapping[str, About]:
    """Metadata of a key; the arguments are those of About."""
    return {"about": About(help, default, example, secret, reload, inherits)}


class Key(NamedTuple):
    """A key of a table."""

    name: str
    kind: Kind
    about: About
    field: "Field[Any]"

    @property
    def default(self) -> Any:
        """The value when nothing is set."""
        if self.field.default_factory is not MISSING:
            return self.field.default_factory()
        return None if self.field.default is MISSING else self.field.default

    @property
    def is_needed(self) -> bool:
        """Whether the table is incomplete without it: its field has no default."""
        return self.field.default is MISSING and self.field.default_factory is MISSING


def keys_of(model: type) -> Mapping[str, Key]:
    """The keys of a table, in the order of its fields."""
    return _keys_of(model)


@cache
def _keys_of(model: Hashable) -> Mapping[str, Key]:
    assert isinstance(model, type)
    hints = get_type_hints(model, include_extras=True)
    return {
        each.name: Key(each.name, kind_of(hints[each.name]), each.metadata["about"], each)
        for each in fields(model)
    }
