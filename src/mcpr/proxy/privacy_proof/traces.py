"""Everything that a proxy of the proof leaves and shows: files, pages, and what /proc tells."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mcpr.calling import NoAnswer, ask
from mcpr.serving.address import parse

_PROC = Path("/proc")
_PAGES = ("/live", "/ready", "/metrics", "/config")
_PAGE_SECONDS = 5.0
_LISTENING = 0x0A


def files(folder: Path) -> dict[str, bytes]:
    """Every file below the folder, by its path there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        # SQLite's companions come and go.
        with suppress(FileNotFoundError):
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def pages(admin: str, token: str | None = None) -> dict[str, bytes]:
    """The admin pages that are shown to who has this token. Raises NoAnswer."""
    address = parse(admin.removeprefix("http://"))
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104 - replaced
    answers = {path: ask(host, address.port, path, _PAGE_SECONDS, token) for path in _PAGES}
    return {f"page {path}": said.body for path, said in answers.items() if said.status != 401}


def of_processes(pids: list[int]) -> dict[str, bytes]:
    """Their command lines and environments, where the system shows them."""
    found = {}
    for number, pid in enumerate(pids):
        for what in ("cmdline", "environ"):
            with suppress(OSError):
                found[f"{what} of process {number}"] = (_PROC / str(pid) / what).read_bytes()
    return found


def family(pid: int) -> list[int]:
    """The process and those that it started; itself alone where the system does not tell."""
    with suppress(OSError):
        children = (_PROC / f"{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]
    return [pid]


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a socket. protocol: `tcp` or `udp`. host: as text; port 0 is none."""

    protocol: str
    host: str
    port: int
    local_port: int

    def __str__(self) -> str:
        return f"{self.protocol} {self.host}:{self.port}"


def peers(pids: list[int]) -> set[Peer] | None:
    """Who the processes have connections to at this moment; None where the system does not tell."""
    if not (_PROC / "net/tcp").exists():
        return None
    inodes = {inode for pid in pids for inode in _sockets(pid)}
    return {
        peer
        for table in ("tcp", "tcp6", "udp", "udp6")
        for inode, state, peer in _table(table)
        if inode in inodes and state != _LISTENING and peer.port
    }


def _sockets(pid: int) -> Iterator[str]:
    with suppress(OSError):
        for link in (_PROC / f"{pid}/fd").iterdir():
            with suppress(OSError):
                found = re.fullmatch(r"socket:\[(\d+)\]", str(link.readlink()))
                if found is not None:
                    yield found[1]


def _table(name: str) -> Iterator[tuple[str, int, Peer]]:
    with suppress(OSError):
        for line in (_PROC / "net" / name).read_text().splitlines()[1:]:
            fields = line.split()
            local, remote, state, inode = fields[1], fields[2], fields[3], fields[9]
            host, _, port = remote.partition(":")
            peer = Peer(name[:3], _host(host), int(port, 16), int(local.rpartition(":")[2], 16))
            yield inode, int(state, 16), peer


def _host(text: str) -> str:
    """The kernel's hex of an address: each word of four bytes in the machine's order."""
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    packed = b"".join(words)
    if len(packed) == 4:
        return ".".join(map(str, packed))
    return ":".join(packed[at : at + 2].hex() for at in range(0, 16, 2))


__all__ = ["NoAnswer", "Peer", "family", "files", "of_processes", "pages", "peers"]
