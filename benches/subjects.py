"""What is measured: nginx, mcpr and the Rust mcpr, each started as its users would.

A subject is one class: start it before an upstream, ask for its processes and for the number of
requests it has recorded, stop it. Nothing here measures.
"""

import contextlib
import getpass
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from benches import machine

HERE = Path(__file__).parent
BUILD = HERE / ".build"
RUST_ROOT = HERE / ".rust"
RUST_CRATE = "mcpr-proxy"
START_SECONDS = 10.0
STOP_SECONDS = 15.0
VALGRIND_FACTOR = 12.0  # how much longer a start and a stop may take under valgrind


class SubjectError(Exception):
    """A subject cannot be measured; the text says why and what to do."""


class Subject(Protocol):
    """A proxy that can be started before an upstream."""

    name: str
    clock_can_be_slowed: bool
    """Whether it waits by the functions that slowclock.c knows."""

    def command(self, folder: Path, upstream: str, port: int) -> list[str]:
        """Writes what it needs into `folder`; returns the command that serves on `port`.

        `upstream`: the MCP endpoint, path included.
        """
        ...

    def environment(self, folder: Path) -> dict[str, str]:
        """Variables to set beside PATH and LANG."""
        ...

    def recorded(self, folder: Path) -> int | None:
        """Requests recorded on disk so far; None for a subject that records nothing."""
        ...

    def version(self) -> str:
        """Name and version for the report."""
        ...


class Nginx:
    """nginx as docs/topics/performance.md tells; `buffer` adds the second row for long bodies."""

    clock_can_be_slowed = True

    def __init__(self, name: str = "nginx", buffer: str | None = None) -> None:
        self.name = name
        self._buffer = buffer

    def command(self, folder: Path, upstream: str, port: int) -> list[str]:
        """One worker, no temp file, no log, everything under `folder`."""
        (folder / "nginx.conf").write_text(self.config(folder, upstream, port))
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        if program is None:
            raise SubjectError("nginx is not installed: run scripts/setup bench")
        return [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", "nginx.conf"]

    def config(self, folder: Path, upstream: str, port: int) -> str:
        """The whole configuration; the report prints it."""
        address = upstream.split("/")[2]
        lines = [
            f"user {getpass.getuser()};" if getpass.getuser() == "root" else "",
            "worker_processes 1;",
            "daemon off;",
            f"pid {folder}/nginx.pid;",
            "events { worker_connections 4096; }",
            "http {",
            "  access_log off;",
            *(f"  {kind}_temp_path {folder}/{kind};" for kind in TEMP_KINDS),
            f"  upstream mcp {{ server {address}; keepalive 1024; }}",
            "  server {",
            f"    listen 127.0.0.1:{port};",
            "    location / {",
            "      proxy_pass http://mcp;",
            "      proxy_http_version 1.1;",
            '      proxy_set_header Connection "";',
            "      proxy_buffering off;",
            # The two other sizes must grow with the first, or nginx refuses to start.
            *(f"      {line} {self._buffer};" for line in LONG_BODIES if self._buffer),
            "    }",
            "  }",
            "}",
        ]
        return "\n".join(line for line in lines if line) + "\n"

    def environment(self, folder: Path) -> dict[str, str]:
        """Nothing."""
        return {}

    def recorded(self, folder: Path) -> int | None:
        """It records nothing."""
        return None

    def version(self) -> str:
        """As `nginx -v` says."""
        return machine.first_line(["/usr/sbin/nginx", "-v"]).removeprefix("nginx version: ")


LONG_BODIES = ("proxy_buffer_size", "proxy_buffers 4", "proxy_busy_buffers_size")
TEMP_KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Mcpr:
    """The proxy of this project, from the environment that runs the bench."""

    name = "mcpr"
    clock_can_be_slowed = True

    def command(self, folder: Path, upstream: str, port: int) -> list[str]:
        """Recording on, no terminal output, no admin address."""
        script = Path(sys.executable).with_name("mcpr")
        if not script.exists():
            raise SubjectError("mcpr is not installed beside this Python: run make test once")
        options = ["--port", str(port), "--db", str(folder / "store.db")]
        quiet = ["--log", "off", "--admin", "off"]
        return [sys.executable, str(script), "run", upstream, *options, *quiet]

    def environment(self, folder: Path) -> dict[str, str]:
        """A home of its own, so that nothing of the user's is read or written."""
        return {"HOME": str(folder)}

    def recorded(self, folder: Path) -> int | None:
        """Rows of the store."""
        return count_rows(folder / "store.db", "SELECT count(*) FROM request_event")

    def version(self) -> str:
        """With the libraries that decide its cost."""
        libraries = ", ".join(f"{name} {version(name)}" for name in ("uvloop", "msgspec"))
        return f"mcpr {version('mcpr')} ({libraries})"


class RustMcpr:
    """The Rust program that came before, store on, no cloud, no tunnel.

    It has no switch for its store: it always writes ~/.mcpr/store.db, so it gets a home of its
    own. It prints every call on stderr, which goes to /dev/null here.
    """

    name = "Rust mcpr"
    clock_can_be_slowed = False

    def command(self, folder: Path, upstream: str, port: int) -> list[str]:
        """`mcpr proxy run mcpr.toml`, with nothing but the upstream and the port in the file."""
        program = RUST_ROOT / "bin" / "mcpr"
        if not program.exists():
            raise SubjectError(f"{RUST_CRATE} is not installed into benches/.rust")
        config = folder / "mcpr.toml"
        config.write_text(f'name = "bench"\nmcp = "{upstream}"\nport = {port}\n')
        return [str(program), "proxy", "run", str(config)]

    def environment(self, folder: Path) -> dict[str, str]:
        """Its home decides where its store is."""
        return {"HOME": str(folder)}

    def recorded(self, folder: Path) -> int | None:
        """Requests whose answer is recorded as well: it writes two rows for each."""
        return count_rows(folder / ".mcpr" / "store.db", "SELECT count(*) FROM responses")

    def version(self) -> str:
        """The crate's version as the program says it."""
        said = machine.first_line([str(RUST_ROOT / "bin" / "mcpr"), "--version"])
        return f"{RUST_CRATE} {said.split()[-1]}" if said else f"{RUST_CRATE} (not installed)"


def install_rust() -> None:
    """Installs the Rust mcpr by cargo, once.

    Raises SubjectError with the end of cargo's output; the report prints it.
    """
    if (RUST_ROOT / "bin" / "mcpr").exists():
        return
    if shutil.which("cargo") is None:
        raise SubjectError("cargo is not installed: install Rust to compare with the Rust mcpr")
    command = ["cargo", "install", RUST_CRATE, "--root", str(RUST_ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SubjectError(f"cargo install {RUST_CRATE} failed:\n{done.stderr[-2000:]}")


def count_rows(database: Path, query: str) -> int:
    """What `query` counts in an SQLite file, read beside its writer; 0 while there is none."""
    if not database.exists():
        return 0
    try:
        with contextlib.closing(
            sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
        ) as connection:
            row: tuple[int] = connection.execute(query).fetchone()
            return row[0]
    except sqlite3.OperationalError:  # the file is there, its tables are not yet
        return 0


class Running:
    """A started subject: a context manager that ends it and removes its folder."""

    def __init__(self, subject: Subject, upstream: str, wrapper: list[str] | None = None) -> None:
        """`wrapper`: a command that runs the subject's command, e.g. taskset or valgrind."""
        self.subject = subject
        self._upstream = upstream
        self._wrapper = wrapper or []
        self._patience = VALGRIND_FACTOR if "valgrind" in self._wrapper else 1.0

    def __enter__(self) -> Self:
        """Starts it; raises SubjectError when it does not serve."""
        self._temp = tempfile.TemporaryDirectory(prefix="mcpr-bench-")
        self.folder = Path(self._temp.name)
        port = machine.free_port()
        path = "/" + self._upstream.split("/", 3)[3]
        self.url = f"http://127.0.0.1:{port}{path}"
        command = [*self._wrapper, *self.subject.command(self.folder, self._upstream, port)]
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            **self.subject.environment(self.folder),
        }
        # Started from the folder: a subject that looks for files beside it finds none of ours.
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            machine.wait_for_port(port, self.process, START_SECONDS * self._patience)
        except (RuntimeError, TimeoutError) as exc:
            self.stop()
            said = _last_words(command, self.folder, environment)
            self._temp.cleanup()
            raise SubjectError(f"{self.subject.name} cannot run: {exc}\n{said}") from exc
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends it."""
        self.stop()
        self._temp.cleanup()

    def stop(self) -> None:
        """Ends it; returns when it is gone."""
        with contextlib.suppress(TimeoutError):
            machine.end(self.process, STOP_SECONDS * self._patience)

    def pids(self) -> list[int]:
        """Its processes: the one we started and all descendants."""
        return machine.process_tree(self.process.pid)

    def recorded(self) -> int | None:
        """What it has recorded so far."""
        return self.subject.recorded(self.folder)


def _last_words(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """What a command that did not serve has to say, from a second start of a few seconds.

    The first one's output went to /dev/null: the Rust mcpr prints every call, and a file or a
    pipe there would cost it CPU.
    """
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=5, check=False
        )
        output = done.stdout + done.stderr
    except subprocess.TimeoutExpired as exc:
        output = (exc.stdout or b"") + (exc.stderr or b"")
    return output.decode(errors="replace")[-2000:]


@contextlib.contextmanager
def running_upstream(core: int | None = None) -> Iterator[str]:
    """The C server of the benches, compiled when needed; yields its origin."""
    program = compile_c("upstream.c", "upstream")
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    process = subprocess.Popen(
        [*pinned, str(program), "0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().decode().strip()
    finally:
        machine.end(process, STOP_SECONDS)
        process.stdout.close()


def compile_c(source_name: str, program_name: str, *options: str) -> Path:
    """Compiles a source of this folder when it is newer than its program; the program's path.

    Raises SubjectError when there is no compiler or it refuses.
    """
    source, program = HERE / source_name, BUILD / program_name
    if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
        return program
    BUILD.mkdir(exist_ok=True)
    command = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", *options, "-o", str(program)]
    try:
        subprocess.run([*command, str(source)], check=True, capture_output=True, text=True)
    except FileNotFoundError as exc:
        raise SubjectError("there is no C compiler: run scripts/setup bench") from exc
    except subprocess.CalledProcessError as exc:
        raise SubjectError(f"{source_name} does not compile:\n{exc.stderr}") from exc
    return program
