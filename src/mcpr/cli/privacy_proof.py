"""`mcpr privacy-proof`: a dated report on whether anything of what is said is kept."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

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
@click.argument("file", metavar="[FILE]", required=False)
@form_option
@click.pass_obj
def privacy_proof(now_ms: Callable[[], int], file: str | None, form: Form) -> int:
    """Prove on this machine that nothing of what is said is kept.

    Starts a proxy with the settings of FILE (mcpr.toml if there is one here) before a built-in MCP
    server, says a random word in every place of an exchange, in every kind of exchange, and
    searches all that the proxy wrote and showed for the words: store, log, metrics, temporary
    files, connections. Your server, your store and your running proxy are not touched.

    Ends with 0 when no word stands where it may not, else with 1.
    """
    from mcpr.proxy.privacy_proof import ProofRow, prove  # noqa: PLC0415 - a program, where it runs

    path = _settings_file(file)
    at_ms = now_ms()
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
    searched = [each.source for each in proof.sources]
    facts: dict[str, object] = {
        "mcpr": __version__,
        "at_ms": at_ms,
        "settings": None if path is None else str(path),
        "exchanges": proof.exchanges,
        "searched": [{"source": each.source, "bytes": each.size} for each in proof.sources],
        "connections_watched": proof.has_connections,
        "passed": proof.is_passed,
    }
    if form == "table":
        said = f"{len(proof.rows)} words in {proof.exchanges} exchanges"
        click.echo(_head(said, searched, path, at_ms, is_watched=proof.has_connections), nl=False)
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
            "leave the URL out: the proof brings its own server",
        )
    return Path(argument)


def _head(
    said: str, searched: list[str], path: Path | None, at_ms: int, *, is_watched: bool
) -> str:
    names = sorted({source.partition(",")[0] for source in searched})
    date = datetime.fromtimestamp(at_ms // 1_000, UTC).isoformat(" ")
    watched = "watched" if is_watched else "not watched: this system does not show them"
    facts = {
        "proof": f"mcpr {__version__}, {date}",
        "settings": "the defaults" if path is None else words.printable(str(path)),
        "said": said,
        "searched": ", ".join(names) + "; while it ran and after it had ended",
        "sockets": watched,
    }
    width = shutil.get_terminal_size().columns
    lines = (click.wrap_text(fact, width, f"{name:<9} ", " " * 10) for name, fact in facts.items())
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
