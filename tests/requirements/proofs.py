"""Proofs of promises that have many, by what they prove."""

_KEPT = "tests/store/sqlite/test_session_rows.py"
_SESSIONS = "tests/pipeline/test_exchange_sessions.py"
_NAMES = "tests/privacy/test_session_names.py"
_LINKING = "tests/store/questions/test_linking.py"
_OPERATIONS = "tests/store/questions/test_operations.py"

OPERATIONS = (
    f"{_LINKING}::test_requests_are_linked_as_far_as_it_is_proven",
    f"{_LINKING}::test_a_state_that_somebody_else_was_given_proves_nothing",
    f"{_LINKING}::test_neither_order_nor_doubling_matters_and_callers_are_never_mixed",
    f"{_OPERATIONS}::test_a_call_that_asks_its_client_is_one_operation_not_two",
    f"{_OPERATIONS}::test_a_task_works_while_nobody_asks",
    f"{_OPERATIONS}::test_the_times_of_every_operation_add_up",
    "tests/pipeline/test_retries.py::test_a_call_that_is_made_again_in_a_new_session_has_the_mark_of_the_lost_one",
    "tests/pipeline/test_retries.py::test_what_may_be_another_call_has_no_mark",
    f"{_OPERATIONS}::test_a_call_whose_session_was_lost_is_one_operation_with_its_retry",
    "tests/pipeline/test_links.py::test_a_message_is_tied_to_others_by_what_it_says",
)

SESSIONS = (
    f"{_SESSIONS}::test_later_messages_of_the_session_carry_its_client_and_revision",
    f"{_SESSIONS}::test_a_modern_request_describes_itself_whatever_session_it_names",
    "tests/conformance/test_stories.py::test_mcpr_knows_who_told_the_story_and_in_which_revision",
    f"{_NAMES}::test_a_session_has_one_name_in_one_store_and_another_in_another",
    f"{_KEPT}::test_a_session_keeps_its_client_in_calls_after_a_restart",
    f"{_KEPT}::test_two_proxies_on_one_store_share_what_they_know",
    f"{_KEPT}::test_only_a_2xx_initialize_begins_a_session",
    f"{_KEPT}::test_requests_of_the_stateless_wire_make_a_conversation_that_is_marked",
    f"{_KEPT}::test_order_and_writers_make_no_difference",
    "tests/store/questions/test_sessions.py::test_a_session_is_active_idle_or_ended",
)

STATE = (
    "tests/cli/test_status.py::test_a_running_proxy_is_found_with_all_that_it_tells",
    "tests/cli/test_status.py::test_numbers_behind_a_token_are_told_to_who_has_it",
    "tests/cli/test_doctor.py::test_where_all_is_well_it_says_so",
    "tests/cli/test_doctor.py::test_every_mistake_of_the_settings_is_a_finding",
    "tests/cli/checkup/test_upstream.py::test_it_asks_once_by_a_ping_that_begins_no_session",
    "tests/scenarios/test_service.py::test_a_container_can_ask_whether_it_is_well",
    "tests/sinks/test_access.py::test_a_full_disk_is_an_error_that_says_so_and_the_books_close",
    "tests/sinks/test_otlp.py::test_a_collector_that_is_gone_costs_spans_that_are_counted",
    "tests/scenarios/test_otlp.py::test_a_collector_in_trouble_costs_no_call_and_the_proxy_ends_in_time",
    "tests/store/sqlite/test_vacuum.py::test_writers_go_on_beside_it_and_lose_nothing",
)
