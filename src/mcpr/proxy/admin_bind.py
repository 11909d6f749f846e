"""Where the admin pages may listen: what `--admin` means."""

from mcpr.errors import UsageError
from mcpr.proxy.frames import AdminBind
from mcpr.serving.address import parse

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 9901
# Only the default moves on when it is taken: two proxies on one laptop both come up.
DEFAULT_TRIES = 100


def admin_bind(text: str | None) -> AdminBind | None:
    """The meaning of `--admin TEXT`; None for the text is the default, None as answer is `off`.

    Raises UsageError for what is no address, and for one that other machines could reach: there is
    no token yet that could keep them out.
    """
    if text is None:
        return AdminBind(DEFAULT_HOST, DEFAULT_PORT, DEFAULT_TRIES)
    if text == "off":
        return None
    address = parse(text)
    if not address.is_loopback:
        raise UsageError(
            f"cannot open the admin pages on {address}",
            "other machines can reach that address, and the pages have no token to keep them out",
            f"use --admin {DEFAULT_HOST}:{address.port} and reach it through ssh -L, "
            "or --admin off",
            "admin.exposed",
        )
    return AdminBind(address.host, address.port, 1)
