"""The beginning of an id, as bounds on its 16 bytes."""

_HEX_DIGITS = 32


def bounds(prefix: str) -> tuple[bytes, bytes]:
    """The first and the last 16 bytes whose hex digits begin so."""
    return (
        bytes.fromhex(prefix.ljust(_HEX_DIGITS, "0")),
        bytes.fromhex(prefix.ljust(_HEX_DIGITS, "f")),
    )
