"""Which paths ask for the metadata of OAuth."""

import pytest

from mcpr.protocol.oauth import is_well_known

NAMES = [
    b"/.well-known/oauth-protected-resource",
    b"/.well-known/oauth-authorization-server",
    b"/.well-known/openid-configuration",
]


@pytest.mark.parametrize("name", NAMES, ids=repr)
@pytest.mark.parametrize("path", [b"%b", b"%b/", b"%b/mcp", b"%b/a/b", b"/issuer%b", b"/a/b%b"])
def test_metadata_is_asked_for_at_the_root_and_before_or_after_a_path(
    path: bytes, name: bytes
) -> None:
    """RFC 9728 and RFC 8414 put the endpoint's path behind; older clients put it in front."""
    assert is_well_known(path % name)


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"/",
        b"/mcp",
        b"/.well-known",
        b"/.well-known/",
        b"/.well-known/mcp",
        b"/.well-known/oauth-protected-resources",
        b"/.well-known/oauth-protected-resource.json",
        b"/.well-known/OAuth-Protected-Resource",
        b"/x.well-known/openid-configuration",
        b"/mcp/.well-known/openid-configuration/x",
        b".well-known/openid-configuration",
    ],
    ids=repr,
)
def test_any_other_path_is_no_metadata(path: bytes) -> None:
    assert not is_well_known(path)
