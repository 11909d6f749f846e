"""How many examples a property takes: few and fixed, or many with MCPR_TEST_SIZE=full."""

import os
from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, settings

_Test = TypeVar("_Test", bound=Callable[..., None])

IS_FULL = os.environ.get("MCPR_TEST_SIZE") == "full"


def examples(small: int) -> Callable[[_Test], _Test]:
    """A property's size: `small` fixed examples, or twenty times as many fresh ones."""
    return settings(
        max_examples=small * 20 if IS_FULL else small,
        derandomize=not IS_FULL,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
