"""`mcpr completion`: what a shell has to read so that Tab completes, and names to complete with."""

import os
from collections.abc import Callable
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from mcpr.errors import McprError, UsageError
from mcpr.settings.run import store_path
from mcpr.store import Dimension
from mcpr.store.sqlite import SqliteEventStore

SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_MCPR_COMPLETE"
_MOST = 1_000
_Complete = Callable[[click.Context, click.Parameter, str], list[str]]


@click.command()
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.pass_context
def completion(context: click.Context, shell: str | None) -> None:
    r"""Write what a shell reads to complete commands, options and recorded names.

    \b
    bash   eval "$(mcpr completion bash)"            in ~/.bashrc
    zsh    eval "$(mcpr completion zsh)"             in ~/.zshrc
    fish   mcpr completion fish > ~/.config/fish/completions/mcpr.fish

    SHELL is that of the environment unless given.
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    found = get_completion_class(name) if name in SHELLS else None
    if found is None:
        raise UsageError(
            "cannot tell which shell is to complete",
            f"{name!r} is none of those there is completion for" if name else "none was named",
            f"name one of {', '.join(SHELLS)}",
        )
    click.echo(found(context.find_root().command, {}, "mcpr", _VARIABLE).source())


def names_of(dimension: Dimension) -> _Complete:
    """Completes with the names that the store has recorded; with none if it cannot be read."""

    def complete(context: click.Context, _: click.Parameter, beginning: str) -> list[str]:
        try:
            with SqliteEventStore(store_path(context.params.get("db"))) as store:
                names = store.names(dimension, _MOST)
        except McprError:
            return []
        return [name for name in names if name.startswith(beginning) and name.isprintable()]

    return complete
