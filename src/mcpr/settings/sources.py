"""What the environment and the command line give: `MCPR_…` variables, and options."""

import difflib
import re
from collections.abc import Iterator, Mapping

from mcpr.settings.fields import keys_of
from mcpr.settings.kinds import Table
from mcpr.settings.mistakes import Place
from mcpr.settings.places import KeyPath
from mcpr.settings.reading import Given

CONFIG_VARIABLE = "MCPR_CONFIG"
"""Names the settings file when the command line does not."""

# The older name, which every command knows. The newer one is stronger.
_OTHER_NAMES: Mapping[KeyPath, tuple[str, ...]] = {("store", "path"): ("MCPR_DB",)}
# Kubernetes and Docker tell of a service named mcpr in this way; it is no port to listen on.
_SERVICE_LINK = re.compile(r"(?:tcp|udp|sctp)://\S*")


def variable_of(path: KeyPath) -> str:
    """The variable that sets the key: `MCPR_LIMITS_EXCHANGES` for limits.exchanges."""
    return "_".join(("MCPR", *map(str, path))).upper()


def settable(model: type, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The keys that a variable sets: those at the top, and those of the tables below it."""
    for name, key in keys_of(model).items():
        if not isinstance(key.kind, Table):
            yield (*path, name)
        elif not path and not key.kind.many:
            yield from settable(key.kind.model, (name,))


def from_environment(model: type, variables: Mapping[str, str]) -> Iterator[Given]:
    """What the variables give. An empty one is as good as none."""
    for path in settable(model):
        for name in (*_OTHER_NAMES.get(path, ()), variable_of(path)):
            text = variables.get(name, "")
            if text and not _SERVICE_LINK.fullmatch(text):
                yield Given(path, text, Place(name, order=1))


def misspelt(model: type, variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Variables that nobody heeds, each with the one that was probably meant.

    Only those that are near: others may have names of their own that begin like ours.
    """
    paths = list(settable(model))
    known = [variable_of(path) for path in paths] + [CONFIG_VARIABLE]
    known += [name for names in _OTHER_NAMES.values() for name in names]
    for name in sorted(variables):
        if name.startswith("MCPR_") and name not in known:
            for meant in difflib.get_close_matches(name, known, n=1, cutoff=0.85):
                yield name, meant


def from_options(options: Mapping[str, tuple[KeyPath, object]]) -> Iterator[Given]:
    """What the command line gives. options: by the option's name; None and () are not given."""
    for name, (path, value) in options.items():
        if value is not None and value != ():
            yield Given(path, value, Place(name, order=0))
