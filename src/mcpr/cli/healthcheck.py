"""`mcpr healthcheck`: one question to a running proxy, one exit code; for containers and scripts.

Whatever is wrong comes as an error with exit code 1, so that one thing only is healthy: 0.
"""

import ipaddress
import json

import click

from mcpr.calling import NoAnswer, ask
from mcpr.errors import McprError, UsageError
from mcpr.serving.address import Address, parse
from mcpr.store.window import duration_ms

DEFAULT_ADMIN = "127.0.0.1:9901"
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - they are replaced, not listened on


@click.command()
@click.option(
    "--admin",
    metavar="ADDR",
    envvar="MCPR_ADMIN",
    help="Address of the proxy's admin pages.  [env: MCPR_ADMIN; default: 127.0.0.1:9901]",
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
def healthcheck(admin: str | None, timeout: str, *, live: bool) -> None:
    """Ask a running proxy whether it is ready; exit with 0 if so."""
    address = _to_connect(admin or DEFAULT_ADMIN)
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
