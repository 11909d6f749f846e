"""settings/hosts: addresses for the admin pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpr.errors import UsageError
from mcpr.serving.address import parse
from mcpr.settings.hosts import ListenAddress
from mcpr.settings.kinds import BadValue


@given(
    st.text(max_size=12)
    | st.builds(
        "{}{}{}".format,
        st.sampled_from(["", "localhost", "127.0.0.1", "::1", "[::1]", "[::", "a", "[1.2.3.4]"]),
        st.sampled_from(["", ":", "::"]),
        st.sampled_from(["", "0", "9901", "65536", "٣"]),
    )
)
def test_what_the_settings_take_can_be_listened_on_and_nothing_else(text: str) -> None:
    if text == "off":
        return
    try:
        parse(text)
    except UsageError:
        with pytest.raises(BadValue):
            ListenAddress().read(text)
    else:
        assert ListenAddress().read(text) == text


def test_off_is_an_answer_too() -> None:
    assert ListenAddress().read("off") == "off"
