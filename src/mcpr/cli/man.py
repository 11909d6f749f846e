"""`mcpr man`: the manual page mcpr(1), made from the commands themselves."""

import re
from collections.abc import Iterator

import click

from mcpr import __version__
from mcpr.errors import Exit

_EXIT = {
    Exit.OK: "It worked; also when a follower was ended with Ctrl-C.",
    Exit.FAILED: "It did not, or what was checked is not well.",
    Exit.USAGE: "It was asked for something that cannot be.",
    Exit.LOST_EVENTS: "The proxy ended well, but could not record every event.",
    Exit.NOT_RUNNING: "No proxy runs.",
    Exit.INTERRUPTED: "Ctrl-C, where that is not how a command ends.",
}
_ENVIRONMENT = {
    "MCPR_CONFIG": "The settings file, where the command line names none.",
    "MCPR_DB": "The store's file.",
    "MCPR_ADMIN": "The admin address that a proxy is asked at.",
    "MCPR_…": "Every setting has its variable; see the reference of settings.",
    "NO_COLOR": "No colours.",
}
_FILES = {
    "mcpr.toml": "Settings, where mcpr is run.",
    "~/.mcpr/store.db": "What was recorded.",
}


@click.command()
@click.pass_context
def man(context: click.Context) -> None:
    r"""Write the manual page mcpr(1).

    \b
    Read it:     mcpr man | man -l -
    Install it:  mcpr man > ~/.local/share/man/man1/mcpr.1
    """
    click.echo("\n".join(_page(context.find_root())))


def _page(root: click.Context) -> Iterator[str]:
    yield f'.TH MCPR 1 "" "mcpr {__version__}" "User Commands"'
    yield from (".SH NAME", r"mcpr \- an observability-first reverse proxy for MCP servers")
    yield from (".SH SYNOPSIS", r"\fBmcpr\fR \fICOMMAND\fR [\fIARGUMENT\fR ...]")
    yield ".SH DESCRIPTION"
    yield from _paragraphs(
        "mcpr stands before an MCP server and records what happens: which tool is slow, which one"
        " fails, which client calls it. What the tools were asked and what they answered is never"
        " kept."
    )
    yield ".SH COMMANDS"
    yield from _commands(root)
    for title, entries in (
        ("EXIT STATUS", {str(code.value): text for code, text in _EXIT.items()}),
        ("ENVIRONMENT", _ENVIRONMENT),
        ("FILES", _FILES),
    ):
        yield f".SH {title}"
        for name, text in entries.items():
            yield from (".TP", rf"\fB{_escaped(name)}\fR", _escaped(text))


def _commands(above: click.Context) -> Iterator[str]:
    """The commands of a group, and of the groups in it. above: the group's context."""
    group = above.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        assert command is not None
        # With the context above, which names the options for help; click remembers those.
        context = click.Context(command, info_name=name, parent=above)
        if isinstance(command, click.Group):
            yield from _commands(context)
        elif context.command_path != "mcpr proxy run":  # It is `mcpr run`.
            yield from _command(command, context)


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    yield rf".SS \fB{_escaped(context.command_path)}\fR {_escaped(usage)}"
    yield from _paragraphs(command.help or "")
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            names, text = record
            yield from (".TP", rf"\fB{_escaped(names)}\fR", _escaped(text))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        yield ".PP"
        if paragraph.startswith("\b"):
            lines = paragraph.removeprefix("\b").strip("\n").splitlines()
            yield from (".nf", *map(_escaped, lines), ".fi")
        else:
            yield _escaped(" ".join(paragraph.split()))


def _escaped(text: str) -> str:
    r"""As roff reads it: no control line, and - is the character that can be copied."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    text = "".join(each if each.isascii() else rf"\[u{ord(each):04X}]" for each in text)
    return rf"\&{text}" if text[:1] in {".", "'"} else text
