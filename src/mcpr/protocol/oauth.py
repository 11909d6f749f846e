"""How MCP endpoints protect themselves, as far as a bystander must recognise it."""

_WELL_KNOWN = (
    b"/.well-known/oauth-protected-resource",
    b"/.well-known/oauth-authorization-server",
    b"/.well-known/openid-configuration",
)


def is_well_known(path: bytes) -> bool:
    """Whether the path asks for OAuth metadata (RFC 9728, RFC 8414, OpenID discovery).

    The well-known part may be followed by the MCP endpoint's path, or come after an issuer's.
    """
    for prefix in _WELL_KNOWN:
        if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in (b"", b"/"):
            return True
    return path.endswith(_WELL_KNOWN)
