"""`mcpr help`: what `--help` shows, for those who ask in this order."""

import click


@click.command("help")
@click.argument("command", nargs=-1)
@click.pass_context
def help_(context: click.Context, command: tuple[str, ...]) -> None:
    """Show the commands, or what one of them takes.

    `mcpr help store vacuum` is `mcpr store vacuum --help`.
    """
    found = context.find_root()
    for name in command:
        if not isinstance(found.command, click.Group):
            raise click.UsageError(f"{found.command_path} has no command {name!r}.", found)
        # It knows similar names.
        _, inner, _ = found.command.resolve_command(found, [name])
        assert inner is not None
        found = click.Context(inner, info_name=name, parent=found)
    click.echo(found.get_help())
