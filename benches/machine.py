"""What the benches ask of the operating system: cores, processes, their CPU time, free ports."""

import contextlib
import os
import platform
import re
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_CPU_CLOCK_OF_PROCESS = 2  # CPUCLOCK_SCHED in Linux's posix-timers.h


@dataclass(frozen=True, slots=True)
class Cores:
    """Where the proxy runs and where everything else runs; the same core if there is only one."""

    proxy: int
    load: int

    @classmethod
    def choose(cls) -> "Cores":
        """The first and the last core that this process may use."""
        allowed = sorted(os.sched_getaffinity(0))
        return cls(allowed[0], allowed[-1])


def cpu_ns(pid: int) -> int:
    """CPU time of one process, user and kernel, all threads, ended ones included.

    Nanoseconds of the scheduler's own clock, where /proc/PID/stat has ticks of 10 ms; this is
    what clock_getcpuclockid(3) computes. Raises OSError when the process is gone.
    """
    return time.clock_gettime_ns((~pid << 3) | _CPU_CLOCK_OF_PROCESS)


def process_tree(pid: int) -> list[int]:
    """`pid` and all its living descendants, in ascending order."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended while we looked
                continue
            if after_name[0] != "Z":
                parents[int(entry.name)] = int(after_name[1])
    tree = {pid}
    grown = True
    while grown:
        children = {child for child, parent in parents.items() if parent in tree} - tree
        grown = bool(children)
        tree |= children
    return sorted(tree)


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float) -> None:
    """Returns once `port` accepts a connection.

    Raises RuntimeError when `process` ends before that, TimeoutError after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"it ended with code {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"it did not listen within {seconds:.0f} s")


def end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """SIGTERM, then SIGKILL for whatever of its process tree is left after `seconds`.

    Raises TimeoutError when SIGTERM was not enough.
    """
    tree = process_tree(process.pid)
    deadline = time.monotonic() + seconds
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    left = tree
    while left and time.monotonic() < deadline:
        process.poll()
        left = [pid for pid in left if is_alive(pid)]
        time.sleep(0.01)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
    if left:
        raise TimeoutError(f"{len(left)} processes did not end within {seconds:.0f} s of SIGTERM")


def is_alive(pid: int) -> bool:
    """False for a process that is gone or that only waits to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def first_line(command: list[str]) -> str:
    """The first line that a `--version` prints, whichever stream it uses; empty without one."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return ""
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0].strip() if lines else ""


def facts() -> dict[str, str]:
    """What a reader must know of the machine: never its name, never a path."""
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    release = platform.freedesktop_os_release()
    return {
        "CPU": f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores",
        "System": f"{release.get('PRETTY_NAME', 'Linux')}, kernel {platform.release()}",
        "Python": platform.python_version(),
        "Compiler of the upstream": first_line(["cc", "--version"]),
    }


def load_average() -> str:
    """The load averages over 1, 5 and 15 minutes."""
    return " / ".join(f"{value:.2f}" for value in os.getloadavg())
