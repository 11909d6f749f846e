"""Carries a Dockerfile out without a container engine, and runs what comes of it.

A program that runs as root in a mount namespace of its own. The base image is this machine: each
stage is an overlay of its root, so that nothing of it is changed. What needs an engine is not
played: limits, capabilities, the network of containers. Arguments: an empty folder. Says JSON.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from string import Template

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.deploy.dockerfile import Instruction, stages
from tests.scenarios.processes import wait_until

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 600
#: What a build may have to know to reach an index of packages.
_OF_THE_NETWORK = ("PIP_", "SSL_", "HTTP", "http", "no_proxy", "NO_PROXY")
_URL = "http://127.0.0.1:9/mcp"


def mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True, timeout=30)


class Image:
    """A stage: an overlay of this machine, and what its instructions have said so far."""

    def __init__(self, folder: Path, context: Path, others: "dict[str, Image]") -> None:
        self.root = folder / "root"
        self.cwd = "/"
        self.user = "0:0"
        self.volumes: list[str] = []
        self.said: dict[str, str] = {}
        self._context = context
        self._others = others
        for name in ("root", "upper", "work"):
            (folder / name).mkdir(parents=True)
        options = f"lowerdir=/,upperdir={folder}/upper,workdir={folder}/work"
        mount("-t", "overlay", "overlay", "-o", options, self.root)
        mount("--bind", "/proc", self.root / "proc")
        mount("--rbind", "/dev", self.root / "dev")
        python = Path(sys.base_prefix)
        for parent in python.parents:  # Another user than ours has to reach it.
            inside = self.inside(parent)
            inside.chmod(inside.stat().st_mode | 0o011)
        self.environment = {
            "PATH": f"{python}/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/",
        }

    def inside(self, path: str | Path) -> Path:
        """A path of the image, as this program reaches it."""
        return self.root / os.path.normpath(Path(self.cwd) / path).lstrip("/")

    def command(self, *words: str) -> list[str]:
        """A command line that runs in the image."""
        script = f'cd {self.cwd} && exec "$@"'
        user = f"--userspec={self.user}"
        return ["/usr/sbin/chroot", user, str(self.root), "/bin/sh", "-c", script, "--", *words]

    def obey(self, instruction: Instruction) -> None:
        """Do what it says, or keep it."""
        name, value = instruction
        if name == "RUN":
            network = {k: v for k, v in os.environ.items() if k.startswith(_OF_THE_NETWORK)}
            command = self.command("/bin/sh", "-c", value)
            environment = {**network, **self.environment}
            subprocess.run(command, env=environment, check=True, timeout=SECONDS, stdout=sys.stderr)
        elif name == "COPY":
            self._copy(shlex.split(value))
        elif name == "ENV":
            for pair in shlex.split(value):
                key, _, text = pair.partition("=")
                self.environment[key] = Template(text).safe_substitute(self.environment)
        elif name == "WORKDIR":
            self.cwd = value
            self.inside(value).mkdir(parents=True, exist_ok=True)
        elif name == "USER":
            self.user = value
        elif name == "VOLUME":
            self.volumes += json.loads(value)
        else:
            self.said[name] = value

    def _copy(self, words: list[str]) -> None:
        other = words[0].removeprefix("--from=") if words[0].startswith("--from=") else None
        *sources, target = words[1:] if other else words
        for source in sources:
            path = self._others[other].inside(source) if other else self._context / source
            to = self.inside(target)
            if path.is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(path, to, symlinks=True, dirs_exist_ok=True, ignore=ignore)
            else:
                is_folder = target.endswith("/") or to.is_dir()
                to = to / path.name if is_folder else to
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, to)

    def close(self, folder: Path) -> None:
        """As an engine runs it: the root is read-only, volumes and /tmp are not."""
        for volume in self.volumes:
            inside, ours = self.inside(volume), folder / "volume"
            ours.mkdir()
            shutil.copystat(inside, ours)
            os.chown(ours, inside.stat().st_uid, inside.stat().st_gid)
            mount("--bind", ours, inside)
        mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", self.root / "tmp")
        mount("-o", "remount,ro", self.root)


def built(folder: Path) -> Image:
    """The last stage of deploy/Dockerfile."""
    images: dict[str, Image] = {}
    for number, instructions in enumerate(stages((ROOT / "deploy/Dockerfile").read_text())):
        name = instructions[0].value.partition(" AS ")[2] or "last"
        images[name] = Image(folder / f"stage{number}", ROOT, images)
        for instruction in instructions[1:]:
            images[name].obey(instruction)
    return images["last"]


def lived(image: Image) -> dict[str, object]:
    """Start it in a network of its own, ask for its health, stop it."""
    entry = json.loads(image.said["ENTRYPOINT"])
    health = json.loads(image.said["HEALTHCHECK"].partition("CMD ")[2])
    words = [*entry, "run", _URL, "--host", "0.0.0.0", "--allowed-host", "localhost"]
    alone = ["unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "--"]
    process = subprocess.Popen(
        [*alone, *image.command(*words)], env=image.environment, stdout=sys.stderr
    )

    def ask(*command: str) -> int:
        entered = ["nsenter", f"--net=/proc/{process.pid}/ns/net", *image.command(*command)]
        return subprocess.run(
            entered, env=image.environment, timeout=60, check=False, stdout=sys.stderr
        ).returncode

    try:
        wait_until(lambda: process.poll() is not None or ask(*health) == 0, 60)
        store = image.inside("/var/lib/mcpr/store.db").stat()
        said: dict[str, object] = {
            "health": ask(*health),
            "owner": store.st_uid,
            "mode": oct(store.st_mode & 0o777),
            "wrote_root": ask("/bin/sh", "-c", "echo > /opt/mcpr/x") == 0,
            "user": ask("/bin/sh", "-c", 'test "$(id -u):$(id -g)" = 10001:10001') == 0,
            "logs": ask(*entry, "logs"),
        }
        process.terminate()
        said["code"] = process.wait(60)
        said["health_afterwards"] = ask_without(image, health)
    finally:
        process.kill()
        process.wait(60)
    return said


def ask_without(image: Image, command: list[str]) -> int:
    """The same question when nothing runs."""
    alone = ["unshare", "--net", *image.command(*command)]
    return subprocess.run(
        alone, env=image.environment, timeout=60, check=False, stdout=sys.stderr
    ).returncode


def main() -> None:
    """Build, run, tell."""
    folder = Path(sys.argv[1])
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "tmpfs", folder)
    began = time.monotonic()
    image = built(folder)
    programs = sorted(path.name for path in image.inside("/opt/mcpr/bin").iterdir())
    image.close(folder)
    said = {**lived(image), "programs": programs, "seconds": round(time.monotonic() - began, 1)}
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
