"""The ports: whether they can be had, and if not, who has them."""

import errno
import os
import re
import socket
from contextlib import closing, suppress
from pathlib import Path

from mcpr.cli.checkup.finding import Finding
from mcpr.serving.presence import Presence

_PROC = Path("/proc")
_LISTENING = "0A"


def port(check: str, host: str, number: int, running: list[Presence]) -> Finding:
    """Whether the address can be listened on. running: the proxies that write this store."""
    where = f"[{host}]:{number}" if ":" in host else f"{host}:{number}"
    if number == 0:
        return Finding(check, "ok", "any free one")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with closing(socket.socket(family, socket.SOCK_STREAM)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, number))
            listener.listen(1)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            why = f"{where} cannot be listened on: {(error.strerror or str(error)).lower()}"
            return Finding(check, "fail", why, "see `mcpr explain listen.failed`")
        return _taken(check, where, number, running)
    return Finding(check, "ok", f"{where} is free")


def _taken(check: str, where: str, number: int, running: list[Presence]) -> Finding:
    for presence in running:
        if any(url and f":{number}" in url for url in (presence.url, presence.admin)):
            return Finding(check, "ok", f"{where} is held by mcpr itself, pid {presence.pid}")
    owner = owner_of(number)
    who = f"by {owner}" if owner else "by another program, maybe another user's"
    return Finding(
        check, "fail", f"{where} is taken {who}", "end that program, or choose another port"
    )


def owner_of(number: int) -> str | None:
    """The program that listens on a port, as `name (pid)`; None where the system does not tell."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == number:
                    inodes.add(fields[9])
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            for link in (folder / "fd").iterdir():
                with suppress(OSError):
                    found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(link))  # noqa: PTH115 - it is no path
                    if found is not None and found[1] in inodes:
                        return f"{(folder / 'comm').read_text().strip()} ({folder.name})"
    return None
