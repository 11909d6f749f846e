"""The gate of issue A: what a recorded call may cost in user-mode instructions."""

from benches import instructions, subjects, targets

MARGIN = 1.10


def test_a_recorded_call_stays_within_the_instruction_budget() -> None:
    """Data plane and companion together, heads seen before; we chose the number, no spec does."""
    with subjects.running_upstream() as upstream:
        report = instructions.measure(subjects.Mcpr(), upstream + "/mcp")
    assert report.per_request <= targets.MAX_INSTRUCTIONS * MARGIN, report


def test_the_way_of_counting_gives_nginx_its_known_cost() -> None:
    """Calibration: 31,000 by hardware counters; other builds of nginx may differ a little."""
    with subjects.running_upstream() as upstream:
        report = instructions.measure(subjects.Nginx(), upstream + "/mcp")
    assert 25_000 <= report.per_request <= 40_000, report
