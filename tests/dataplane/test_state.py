"""The states of a client connection: comparisons rely on their order."""

from mcpr.dataplane import state


def test_every_state_has_its_name_at_its_number() -> None:
    assert [getattr(state, name) for name in state.NAMES] == list(range(len(state.NAMES)))


def test_states_stand_in_the_order_in_which_an_exchange_passes_them() -> None:
    assert state.IDLE < state.HEAD < state.BODY < state.WAITING < state.SENT < state.ANSWER
    assert state.ANSWER < state.LINGER < state.CLOSED


def test_no_deadline_lies_beyond_forever() -> None:
    a_century_ns = 100 * 366 * 86_400 * state.SECOND
    assert a_century_ns < state.FOREVER
