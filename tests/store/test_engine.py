"""store/engine: what a filter takes."""

from collections.abc import Callable

import pytest

from mcpr.errors import UsageError
from mcpr.store import Filter


def test_the_beginning_of_an_id_may_have_dashes_and_capitals() -> None:
    assert Filter(id="019B76DA-a87b-7").id == "019b76daa87b7"


WITH: dict[str, Callable[[str], Filter]] = {
    "id": lambda text: Filter(id=text),
    "session": lambda text: Filter(session=text),
}


@pytest.mark.parametrize("text", ["", "-", "xyz", "0" * 33, "01%"])
@pytest.mark.parametrize("name", WITH)
def test_what_no_id_begins_with_is_refused(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"cannot look for the {name}"):
        WITH[name](text)
