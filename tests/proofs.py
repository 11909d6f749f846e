"""Proofs of requirements that have many, by what they prove; `requirements.py` is the list."""

_KEPT = "tests/store/sqlite/test_session_rows.py"

SESSIONS = (
    f"{_KEPT}::test_a_session_keeps_its_client_in_calls_after_a_restart",
    f"{_KEPT}::test_two_proxies_on_one_store_share_what_they_know",
    f"{_KEPT}::test_only_a_2xx_initialize_begins_a_session",
    f"{_KEPT}::test_requests_of_the_stateless_wire_make_a_conversation_that_is_marked",
    f"{_KEPT}::test_order_and_writers_make_no_difference",
    "tests/store/questions/test_sessions.py::test_a_session_is_active_idle_or_ended",
)
