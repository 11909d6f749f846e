"""`mcpr privacy-proof`: a dated report on whether anything of what is said is kept."""

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from mcpr import __version__
from mcpr.cli import words
from mcpr.cli.options import form_option, terminal
from mcpr.cli.render import Form, Question, Renderer
from mcpr.cli.table import Column
from mcpr.errors import Exit, UsageError
from mcpr.settings import ask

_MAY = {"nowhere": "nowhere", "store": "store, local part", "record": "store, log, metrics"}


@click.command("privacy-proof")
@click.argument("file", metavar="[FILE|URL]", required=False)
@click.option("--running", is_flag=True, help="Say the words through the proxy that runs already.")
@form_option
@click.pass_obj
def privacy_proof(now_ms: Callable[[], int], file: str | None, form: Form, *, running: bool) -> int:
    """Prove on this machine that nothing of what is said is kept.

    Starts a proxy with the settings of FILE (mcpr.toml if there is one here) before a built-in MCP
    server, says a random word in every place of an exchange, in every kind of exchange, and
    searches all that the proxy wrote and showed for the words: store, log, metrics, temporary
    files, connections. Your server, your store and your running proxy are not touched.

    With --running the words go to your server, through the proxy that runs with the settings of
    FILE or at URL: a ping, an unknown method, names of a tool, a prompt and a resource that nobody
    has, a GET of a page that nobody has. No session is begun, no credential sent. Searched are its
    store, access log, admin pages (MCPR_ADMIN_TOKEN opens them) and command lines. Six rows stay
    in your store.

    Ends with 0 when no word stands where it may not, else with 1.
    """
    from mcpr.proxy.privacy_proof import (  # noqa: PLC0415 - a program, where it runs
        ProofRow,
        prove,
        prove_running,
        running_proxy,
    )

    at_ms = now_ms()
    at_url = None
    if running:
        path = Path(file) if file and "://" not in file else ask(None).file
        target = running_proxy(path, file if file and "://" in file else None)
        at_url = target.presence.url
        proof = prove_running(target)
    else:
        path = _settings_file(file)
        proof = prove(path)
    question = Question(
        "privacy-proof",
        ProofRow,
        (
            Column("WORD", "text", lambda row: row.place),
            Column("MAY STAND IN", "text", lambda row: _MAY[row.may]),
            Column("STANDS IN", "text", lambda row: row.found or "nowhere"),
            Column("VERDICT", "text", lambda row: row.verdict),
        ),
        is_error=lambda row: row.verdict != "ok",
    )
    facts: dict[str, object] = {
        "mcpr": __version__,
        "at_ms": at_ms,
        "settings": None if path is None else str(path),
        "proxy": at_url,
        "exchanges": proof.exchanges,
        "searched": [{"source": each.source, "bytes": each.size} for each in proof.sources],
        "connections_watched": proof.has_connections,
        "passed": proof.is_passed,
    }
    if form == "table":
        click.echo(_head(facts, len(proof.rows)), nl=False)
    click.echo(Renderer(question, form, terminal()).document(proof.rows, None, facts), nl=False)
    if form == "table":
        click.echo(_verdict([row.verdict for row in proof.rows]))
    return Exit.OK if proof.is_passed else Exit.FAILED


def _settings_file(argument: str | None) -> Path | None:
    """The file whose settings are to be proven; None for the defaults."""
    if argument is None:
        return ask(None).file
    if "://" in argument:
        raise UsageError(
            "cannot run the privacy proof before a server of yours",
            "it says made-up words to tools, which a real server might act upon",
            "leave the URL out: the proof brings its own server; or add --running",
        )
    return Path(argument)


def _head(facts: Mapping[str, Any], number: int) -> str:
    """What was done: the same facts as programs get. number: of words."""
    names = sorted({each["source"].partition(",")[0] for each in facts["searched"]})
    date = datetime.fromtimestamp(facts["at_ms"] // 1_000, UTC).isoformat(" ")
    told = {
        "proof": f"mcpr {facts['mcpr']}, {date}",
        "settings": words.printable(facts["settings"] or "the defaults"),
        "said": f"{number} words in {facts['exchanges']} exchanges",
    }
    if facts["proxy"] is None:
        told["searched"] = ", ".join(names) + "; while it ran and after it had ended"
        watched = facts["connections_watched"]
        told["sockets"] = "watched" if watched else "not watched: this system does not show them"
    else:
        told["proxy"] = words.printable(facts["proxy"])
        told["searched"] = ", ".join(names) + "; while it runs"
        told["sockets"] = "not watched: it has clients of its own"
    width = shutil.get_terminal_size().columns
    lines = (click.wrap_text(fact, width, f"{name:<9} ", " " * 10) for name, fact in told.items())
    return "\n".join(lines) + "\n\n"


def _verdict(verdicts: list[str]) -> str:
    wrong = [verdict for verdict in verdicts if verdict != "ok"]
    if not wrong:
        return "\nPassed: no word stands where it may not."
    leaks = wrong.count("leak")
    others = len(wrong) - leaks
    said = f"{leaks} stand where they may not" if leaks else "no word stands where it may not"
    more = f"; {others} prove nothing, because they were not said or not found" if others else ""
    return f"\nFAILED: {said}{more}. Please report it: the words are random and say nothing."
