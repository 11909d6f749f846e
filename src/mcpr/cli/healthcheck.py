"""`mcpr healthcheck`: one question to a running proxy, one exit code; for containers and scripts.

Whatever is wrong comes as an error with exit code 1, so that one thing only is healthy: 0.
"""

import ipaddress
import json
import os

import click

from mcpr.calling import NoAnswer, ask
from mcpr.errors import McprError, UsageError
from mcpr.serving.address import Address, parse
from mcpr.store.window import duration_ms

_VARIABLE = "MCPR_ADMIN_LISTEN"
DEFAULT_ADMIN = "127.0.0.1:9901"
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - they are replaced, not listened on


@click.command()
@click.argument("file", required=False)
@click.option(
    "--admin",
    metavar="ADDR",
    help="Address of the proxy's admin pages.  [default: that of the settings]",
)
@click.option(
    "--live", is_flag=True, help="Ask only whether it is alive, not whether it is recording."
)
@click.option(
    "--timeout",
    metavar="DURATION",
    default="3s",
    show_default=True,
    help="How long the answer may take.",
)
def healthcheck(file: str | None, admin: str | None, timeout: str, *, live: bool) -> None:
    """Ask a running proxy whether it is ready; exit with 0 if so.

    Without --admin the address is the one that `mcpr run` would take: of MCPR_ADMIN_LISTEN, else of
    the settings in FILE, MCPR_CONFIG or mcpr.toml, else 127.0.0.1:9901.
    """
    address = _to_connect(admin or _configured(file) or DEFAULT_ADMIN)
    seconds = duration_ms(timeout) / 1_000
    if not seconds:
        raise UsageError("cannot wait no time at all", "the timeout is 0", "give it as 3s")
    try:
        answer = ask(address.host, address.port, "/live" if live else "/ready", seconds)
    except NoAnswer as error:
        raise McprError(
            f"no answer from the admin address {address}",
            str(error),
            "is `mcpr run` running, and does it listen there? Name its address with --admin",
            "proxy.no_answer",
        ) from error
    if answer.status != 200:
        raise McprError(
            "the proxy is alive but not ready" if not live else "the proxy is not alive",
            _reasons(answer.body) or f"it answers with {answer.status}",
            f"see {address.url}/ready and what `mcpr run` says on stderr",
            "proxy.not_ready",
        )
    click.echo("live" if live else "ready")


def _configured(file: str | None) -> str | None:
    """The address that the environment or the settings file names."""
    if named := os.environ.get(_VARIABLE):
        return named
    from mcpr.settings import ask as settings_of  # noqa: PLC0415 - most checks name the address

    asked = settings_of(file)
    # The image names a file that need not be there: `mcpr run URL` reads none.
    if asked.file is None or not (file or asked.file.exists()):
        return None
    return asked.read()[0].admin


def _to_connect(text: str) -> Address:
    """The address to ask: who listens on all addresses is asked on the loopback."""
    if text == "off":
        raise UsageError(
            "cannot ask a proxy without admin pages",
            "the admin address is `off`",
            "run it with --admin ADDR, or check its port in another way",
        )
    address = parse(text)
    host = _ANY.get(str(ipaddress.ip_address(address.host)), address.host)
    return Address(host, address.port)


def _reasons(body: bytes) -> str:
    try:
        reasons = json.loads(body)["reasons"]
    except (ValueError, KeyError, TypeError):
        return ""
    return "; ".join(str(reason) for reason in reasons) if isinstance(reasons, list) else ""
