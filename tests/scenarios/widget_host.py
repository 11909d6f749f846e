"""A host that shows a widget in a real browser, and all the sites that the widget may ask.

The widget's frame has the policy that the host makes, as a header. Every other site, by whatever
name, is one server here that counts what arrives; so nothing leaves this machine.
"""

import json
import queue
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.scenarios.browser import open_page

#: What the widget itself must not be able to reach unless its policy says so.
_ANY_SITE = "MAP *:443 127.0.0.1:{tls}, MAP localhost:9000 127.0.0.1:{plain}"
_KINDS = {"js": "text/javascript", "css": "text/css", "png": "image/svg+xml"}
_BODIES = {"png": b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'}

#: Before the widget's own scripts: notes what was loaded and what the policy blocked.
_LISTENER = """<script>
const settled = {}, blocked = new Set();
const settle = how => event => {
  const url = event.target.src || event.target.href;
  if (url) settled[url] = how;
};
document.addEventListener("load", settle("loaded"), true);  // it never gets to the window
document.addEventListener("error", settle("failed"), true);
addEventListener("securitypolicyviolation", event => blocked.add(event.blockedURI));
</script>"""

#: After them: tries what a widget can try, and tells. What fails must have been blocked.
_PROBE = """<script type="module">
const { own, connect, images, frames } = %s;
const until = async done => { while (!done()) await new Promise(next => setTimeout(next, 20)); };
const loaded = [], failed = [...frames];
await until(() => own.every(url => url in settled || blocked.has(url)));
for (const url of own) (settled[url] === "loaded" ? loaded : failed).push(url);
for (const url of connect) await fetch(url).then(() => loaded.push(url), () => failed.push(url));
for (const url of images) {
  const image = new Image();
  await new Promise(next => {
    image.onload = () => next(loaded.push(url));
    image.onerror = () => next(failed.push(url));
    image.src = url;
  });
}
for (const url of frames) document.body.append(
  Object.assign(document.createElement("iframe"), { src: url }));
await until(() => failed.every(url => blocked.has(url)));
await fetch("/told", { method: "POST", body: JSON.stringify({ loaded, failed }) });
</script>"""


@dataclass(frozen=True)
class Probes:
    """What is tried in the widget. own: what it loads by itself. frames: bare origins."""

    own: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()


@dataclass
class Host:
    """The host. asked: the URLs that arrived at the sites, the browser's own among them."""

    plain: int
    tls: int
    asked: Counter[str] = field(default_factory=Counter)
    told: "queue.Queue[object]" = field(default_factory=lambda: queue.Queue(8))
    widget: bytes = b""
    policy: str = ""

    def show(self, html: str, policy: str, probes: Probes, folder: Path) -> object:
        """Show the widget under this policy: what was loaded, and what was blocked."""
        probe = _PROBE % json.dumps(vars(probes))
        self.widget = f"<!doctype html>{_LISTENER}{html}{probe}".encode()
        self.policy = policy
        self.asked.clear()
        folder.mkdir()
        flags = (
            f"--host-resolver-rules={_ANY_SITE.format(tls=self.tls, plain=self.plain)}",
            "--ignore-certificate-errors",
        )
        return open_page(f"http://localhost:{self.plain}/", self.told, folder, *flags)

    def answer(self, request: "_Request") -> None:
        """A page of the host, or of any site."""
        site = request.headers["Host"]
        if site != f"localhost:{self.plain}":
            scheme = "http" if site == "localhost:9000" else "https"
            self.asked[f"{scheme}://{site}{request.path}"] += 1
            kind = request.path.rpartition(".")[2]
            request.say(_KINDS.get(kind, "text/plain"), _BODIES.get(kind, b""))
        elif request.path == "/told":
            self.told.put(json.loads(request.rfile.read(int(request.headers["Content-Length"]))))
            request.say("text/plain", b"")
        elif request.path == "/widget":
            request.say("text/html; charset=utf-8", self.widget, self.policy)
        else:
            page = b'<!doctype html><iframe src="/widget"></iframe>'
            request.say("text/html", page if request.path == "/" else b"")


class _Request(BaseHTTPRequestHandler):
    host: Host

    def do_GET(self) -> None:
        self.host.answer(self)

    def do_POST(self) -> None:
        self.host.answer(self)

    def say(self, kind: str, body: bytes, policy: str | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Access-Control-Allow-Origin", "*")
        if policy is not None:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def a_host(certificate: Path, key: Path) -> Iterator[Host]:
    """A host, and sites with this certificate."""

    class Request(_Request):
        pass

    plain = ThreadingHTTPServer(("127.0.0.1", 0), Request)
    tls = ThreadingHTTPServer(("127.0.0.1", 0), Request)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    # Hands are shaken where the request is read, so that one that hesitates stops no other.
    tls.socket = context.wrap_socket(tls.socket, server_side=True, do_handshake_on_connect=False)
    Request.host = Host(plain.server_port, tls.server_port)
    for server in (plain, tls):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Request.host
    finally:
        for server in (plain, tls):
            server.shutdown()
            server.server_close()
