"""What does the person want? The commands of mcpr, and the one place where errors become words.

`COMMANDS` is the list of all of them. A command is imported when it is run, so that `mcpr --help`
imports nothing but click.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence

import click

from mcpr import __version__
from mcpr.cli.lazy import Entry, LazyGroup, ReaderGone
from mcpr.errors import Exit, McprError

COMMANDS = {
    "run": Entry("mcpr.cli.run:run", "Put mcpr before an MCP server and record what happens."),
    "init": Entry(
        "mcpr.cli.config:init", "Write a settings file in which everything is explained."
    ),
    "validate": Entry(
        "mcpr.cli.config:validate", "Check the settings and name every mistake at once."
    ),
    "logs": Entry("mcpr.cli.questions:logs", "Show recorded calls, the newest last."),
    "summary": Entry(
        "mcpr.cli.figures:summary", "Show the figures of a time, and those of the time before it."
    ),
    "tools": Entry("mcpr.cli.questions:tools", "Show how the tools fare: calls, errors, latency."),
    "schema": Entry(
        "mcpr.cli.schema:schema", "Show what servers offer, what changed, and what is used."
    ),
    "servers": Entry("mcpr.cli.figures:servers", "Show how the MCP servers fare, and why."),
    "slow": Entry("mcpr.cli.figures:slow", "Show the slowest calls."),
    "latency": Entry("mcpr.cli.figures:latency", "Show calls, errors and latency over time."),
    "errors": Entry("mcpr.cli.failures:errors", "Show what fails, in groups."),
    "error": Entry("mcpr.cli.failures:error", "Show one group of errors, and the newest of them."),
    "behaviour": Entry(
        "mcpr.cli:behaviour_group", "How agents fare: recoveries, loops, sizes, revisions …"
    ),
    "check": Entry(
        "mcpr.cli.check:check", "Hold recorded calls to limits; exit with 1 if one is not met."
    ),
    "csp": Entry("mcpr.cli:csp_group", "What widgets may load in each host."),
    "sessions": Entry(
        "mcpr.cli.sessions:sessions", "Show sessions: who, since when, how many calls."
    ),
    "session": Entry(
        "mcpr.cli.sessions:session", "Show one session and its requests, the newest last."
    ),
    "clients": Entry(
        "mcpr.cli.sessions:clients", "Show who calls: one line for each client and version."
    ),
    "operations": Entry(
        "mcpr.cli.operations:operations", "Show calls that took several requests, and whose time."
    ),
    "compat": Entry("mcpr.cli.sessions:compat", "Show which client gets on with which tool."),
    "healthcheck": Entry(
        "mcpr.cli.healthcheck:healthcheck",
        "Ask a running proxy whether it is ready; exit with 0 if so.",
    ),
    "status": Entry("mcpr.cli.status:status", "Show the running proxies and how they fare."),
    "doctor": Entry(
        "mcpr.cli.doctor:doctor", "Check everything that `mcpr run` needs, and say what to do."
    ),
    "store": Entry(
        "mcpr.cli:store_group", "Look after the store: its size, and space to give back."
    ),
    "privacy-proof": Entry(
        "mcpr.cli.privacy_proof:privacy_proof",
        "Prove on this machine that nothing of what is said is kept.",
    ),
    "explain": Entry("mcpr.cli.explain:explain", "Say what an error code means, and what to do."),
    "completion": Entry(
        "mcpr.cli.completion:completion",
        "Write what a shell reads to complete commands, options and recorded names.",
    ),
    "help": Entry("mcpr.cli.help:help_", "Show the commands, or what one of them takes."),
    "man": Entry("mcpr.cli.man:man", "Write the manual page mcpr(1)."),
    "version": Entry("mcpr.cli.version:version", "Show the versions of mcpr and what it runs on."),
    "config": Entry("mcpr.cli:config_group", "What the settings file may hold, for editors."),
    "proxy": Entry("mcpr.cli:proxy", "The proxy's commands: `mcpr proxy run` is `mcpr run`."),
}
STORE_COMMANDS = {
    "stats": Entry("mcpr.cli.store:stats", "Show what is in the store and how large it is."),
    "vacuum": Entry("mcpr.cli.store:vacuum", "Give back space, and delete old events if asked."),
    "rebuild": Entry("mcpr.cli.store:rebuild", "Make the sums of hours, days and weeks anew."),
}
CONFIG_COMMANDS = {
    "schema": Entry(
        "mcpr.cli.config:schema", "Print the JSON Schema of settings files, for editors."
    ),
}
BEHAVIOUR_COMMANDS = {
    "recoveries": Entry(
        "mcpr.cli.behaviour:recoveries",
        "Show which failures were made good in the same session.",
    ),
    "loops": Entry(
        "mcpr.cli.behaviour:loops",
        "Show where one tool was called again and again in a session.",
    ),
    "abandoned": Entry(
        "mcpr.cli.behaviour:abandoned", "Show sessions that were given up after an error."
    ),
    "sizes": Entry(
        "mcpr.cli.behaviour:sizes", "Show how large the tools' answers are, the largest first."
    ),
    "discovery": Entry(
        "mcpr.cli.behaviour:discovery",
        "Show what it costs clients to find out what servers offer.",
    ),
    "adoption": Entry(
        "mcpr.cli.behaviour:adoption",
        "Show which revisions of the protocol clients speak, day by day.",
    ),
}
CSP_COMMANDS = {
    "check": Entry(
        "mcpr.cli.csp:check",
        "Show what each host makes of the widgets' policies, and what is wrong.",
    ),
}
PROXY_COMMANDS = {"run": COMMANDS["run"]}

_HELP_NAMES = {"help_option_names": ["-h", "--help"]}

proxy = LazyGroup(PROXY_COMMANDS, name="proxy", help=COMMANDS["proxy"].help)
behaviour_group = LazyGroup(BEHAVIOUR_COMMANDS, name="behaviour", help=COMMANDS["behaviour"].help)
csp_group = LazyGroup(CSP_COMMANDS, name="csp", help=COMMANDS["csp"].help)
config_group = LazyGroup(CONFIG_COMMANDS, name="config", help=COMMANDS["config"].help)
store_group = LazyGroup(STORE_COMMANDS, name="store", help=COMMANDS["store"].help)
mcpr = LazyGroup(
    COMMANDS,
    name="mcpr",
    help="An observability-first reverse proxy for MCP servers.",
    epilog="Begin with `mcpr run http://localhost:9000/mcp`, then ask `mcpr logs`, `mcpr tools`.",
    context_settings=_HELP_NAMES,
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            help="Show the version of mcpr.",
            callback=lambda context, _option, is_given: _say_version(context, is_given=is_given),
        )
    ],
)


def wall_clock_ms() -> int:
    """Now, as epoch milliseconds."""
    return time.time_ns() // 1_000_000


def main(arguments: Sequence[str] | None = None, now_ms: Callable[[], int] = wall_clock_ms) -> int:
    """Run one command; return its exit code (see `Exit`).

    arguments: those of the process unless given.
    """
    try:
        code = mcpr.main(arguments, prog_name="mcpr", standalone_mode=False, obj=now_ms)
        sys.stdout.flush()
    except McprError as error:
        from mcpr.cli.words import printable  # noqa: PLC0415 - most commands end well

        # An error may quote what somebody else has written.
        first, *others = map(printable, error.lines)
        click.echo("\n".join((f"mcpr: {first} [{error.code}]", *others)), err=True)
        return error.exit
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return Exit.INTERRUPTED
    except (BrokenPipeError, ReaderGone):
        _let_go_of_stdout()
        return Exit.OK
    return code if isinstance(code, int) else Exit.OK


def _say_version(context: click.Context, *, is_given: bool) -> None:
    if is_given:
        click.echo(f"mcpr {__version__}")
        context.exit()


def _let_go_of_stdout() -> None:
    # Whoever read has gone; the interpreter's own flush at the end must not complain of it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
