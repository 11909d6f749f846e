"""A real browser that opens a page of ours and lets it tell what it saw."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SECONDS = 120.0
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new",
    # A sandbox within a container's sandbox does not start; the only page is ours.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
)
_PAGE = """<!doctype html><meta charset="utf-8"><title>a page</title><script type="module">
const seen = await (async () => {{ {script} }})().catch(error => ({{ blocked: String(error) }}));
await fetch("/told", {{ method: "POST", body: JSON.stringify(seen) }});
</script>"""


class Site:
    """A site of one page. told: what its script returned. origin: its name for browsers."""

    def __init__(self) -> None:
        self.told: queue.Queue[object] = queue.Queue(8)
        self.script = ""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = _PAGE.format(script=site.script).encode() if self.path == "/" else b""
                self._answer("text/html", page)

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                site.told.put(json.loads(self.rfile.read(length)))
                self._answer("text/plain", b"")

            def _answer(self, kind: str, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.origin = f"http://localhost:{self._server.server_port}"

    def close(self) -> None:
        """No more visitors."""
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def a_site() -> Iterator[Site]:
    """A site that is there for a while."""
    site = Site()
    try:
        yield site
    finally:
        site.close()


def visit(site: Site, script: str, folder: Path) -> object:
    """Open the site's page in a browser; what its script, an async function's body, returns."""
    site.script = script
    return open_page(f"{site.origin}/", site.told, folder)


def open_page(url: str, told: "queue.Queue[object]", folder: Path, *flags: str) -> object:
    """Open a page in a browser with these flags beside; what it tells."""
    profile = folder / "profile"
    command = [find_browser(), *_FLAGS, *flags, f"--user-data-dir={profile}", url]
    with (folder / "browser.txt").open("wb") as said:
        process = subprocess.Popen(
            command, stdout=said, stderr=said, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        return told.get(timeout=SECONDS)
    except queue.Empty:
        raise AssertionError((folder / "browser.txt").read_text(errors="replace")) from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(SECONDS)


def find_browser() -> str:
    """The Chromium of this machine."""
    for folder in os.environ["PATH"].split(os.pathsep):
        for name in _NAMES:
            if (found := Path(folder) / name).is_file():
                return str(found)
    raise AssertionError("there is no Chromium: call scripts/setup browser")
