"""store/questions/sums: what measures add up to."""

from mcpr.store import Measure
from mcpr.store.questions.sums import Sums


def test_sums_add_up_and_the_largest_stays() -> None:
    sums = Sums.of(
        [
            Measure(("a",), {10: 3}, 3, 1, 30, 12, 5, 7, 100),
            Measure(("b",), {20: 1}, 1, 0, 21, 21, 1, 1, 90),
        ]
    )
    assert (sums.calls, sums.errors, sums.error_rate, sums.mean_us) == (4, 1, 0.25, 12)
    assert (sums.max_us, sums.bytes_in, sums.bytes_out, sums.last_ms) == (21, 6, 8, 100)
    assert sums.percentile_us(0.5) < sums.percentile_us(1.0)


def test_of_nothing_everything_is_zero() -> None:
    sums = Sums()
    assert (sums.error_rate, sums.mean_us, sums.percentile_us(0.5)) == (0.0, 0, 0)
