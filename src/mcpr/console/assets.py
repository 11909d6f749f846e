"""The files that pages load: read once, named by their content, never from another origin."""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

FOLDER = Path(__file__).with_name("static")
_TYPES = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)


class Asset:
    """One file. tag: names its content; packed: the same, compressed."""

    def __init__(self, path: Path) -> None:
        self.body = path.read_bytes()
        self.tag = hashlib.sha256(self.body).hexdigest()[:12]
        self.packed = gzip.compress(self.body, 9, mtime=0)
        self.type = _TYPES[path.suffix]


@cache
def assets() -> dict[str, Asset]:
    """Every file that may be asked for, by its path below `static`."""
    return {
        path.relative_to(FOLDER).as_posix(): Asset(path)
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in _TYPES
    }


def link(name: str) -> str:
    """Where a page finds the file; another content has another address."""
    return f"/static/{name}?v={assets()[name].tag}"


async def asset(request: Request) -> Response:
    """Answer with a file. It may be kept for good where it was asked for by its tag."""
    found = assets().get(request.path_params["name"])
    if found is None:
        return PlainTextResponse("There is no such file.\n", 404)
    headers = {"content-type": found.type, "etag": f'"{found.tag}"', "vary": "accept-encoding"}
    is_named = request.query_params.get("v") == found.tag
    headers["cache-control"] = "private, max-age=31536000, immutable" if is_named else "no-cache"
    if f'"{found.tag}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(found.packed, headers=headers)
    return Response(found.body, headers=headers)
