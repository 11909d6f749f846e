"""Where the admin pages may listen: what `--admin` means."""

import hashlib
from collections.abc import Iterable

from mcpr.errors import UsageError
from mcpr.proxy.frames import AdminBind
from mcpr.serving.address import parse

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 9901
# Only the default moves on when it is taken: two proxies on one laptop both come up.
DEFAULT_TRIES = 100


def admin_bind(
    text: str | None, token: str | None = None, names: Iterable[str] = ()
) -> AdminBind | None:
    """The meaning of `--admin TEXT`; None for the text is the default, None as answer is `off`.

    names: host names by which the pages may be called. Raises UsageError for what is no address,
    and for one that other machines could reach while there is no token to keep them out.
    """
    token_hash = b"" if token is None else hashlib.sha256(token.encode()).digest()
    if text is None:
        return AdminBind(DEFAULT_HOST, DEFAULT_PORT, DEFAULT_TRIES, token_hash)
    if text == "off":
        return None
    address = parse(text)
    if not address.is_loopback and token is None:
        raise UsageError(
            f"cannot open the admin pages on {address}",
            "other machines can reach that address, and the pages have no token to keep them out",
            f"set [admin] token, or use --admin {DEFAULT_HOST}:{address.port} and reach it "
            "through ssh -L",
            "admin.exposed",
        )
    return AdminBind(address.host, address.port, 1, token_hash, sorted(names))
