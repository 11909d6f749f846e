"""`mcpr explain`: what an error code means, what to check and what to do. Its words are data."""

import shutil
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

import click

from mcpr.errors import UsageError

_WORDS = Path(__file__).with_name("errors.toml")
#: What begins the code of an answer of the proxy's own; its header has the rest.
_HTTP = "http."


@dataclass(frozen=True, slots=True)
class Explained:
    """One code. Texts may have `code` in backquotes."""

    title: str
    cause: str
    check: str
    fix: str


@lru_cache
def catalogue() -> dict[str, Explained]:
    """Every code there is."""
    words = tomllib.loads(_WORDS.read_text(encoding="utf-8"))
    return {code: Explained(**texts) for code, texts in words.items()}


def page(code: str) -> str:
    """The page of a code, as docs/reference/errors has it."""
    explained = catalogue()[code]
    parts = (
        f"# `{code}`",
        f"{explained.title[:1].upper()}{explained.title[1:]}.",
        f"**Cause.** {explained.cause}",
        f"**Check.** {explained.check}",
        f"**Fix.** {explained.fix}",
    )
    return "\n\n".join(parts) + "\n"


@click.command()
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Say what an error code means, and what to do.

    CODE stands at the end of an error message, in brackets, or is the value of the header
    Mcpr-Error. Without it, all codes are listed.
    """
    if code is None:
        width = max(map(len, catalogue()))
        for name, explained in catalogue().items():
            click.echo(f"{name:<{width}}  {explained.title}")
        return
    wanted = code.strip("[]").lower()
    found = next((name for name in (wanted, _HTTP + wanted) if name in catalogue()), None)
    if found is None:
        near = get_close_matches(wanted, catalogue(), n=1)
        raise UsageError(
            f"cannot explain {code!r}",
            "there is no such code",
            f"did you mean {near[0]}?" if near else "`mcpr explain` lists them all",
        )
    text = page(found).replace("**", "").removeprefix("# ")
    width = min(100, shutil.get_terminal_size().columns)
    click.echo(click.wrap_text(text, width, preserve_paragraphs=True))
