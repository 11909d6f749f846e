"""R1-R12: what the proxy does."""

from tests.requirements.promise import LATER, Requirement
from tests.requirements.proofs import OPERATIONS, SESSIONS, STATE

_CONFORMANCE = "tests/conformance/test_conformance.py"
_STORIES = "tests/conformance/test_stories.py"
_NO_DIFFERENCE = "test_the_suite_finds_no_difference_between_mcpr_and_the_server_behind_it"
_TRANSPARENCY = "tests/test_docs.py::test_what_does_not_cross_the_proxy_is_what_the_page_says"
_HEADERS = "tests/dataplane/test_proxy_headers.py"
_CORS = "tests/dataplane/test_cors.py"
_ANSWERING = "tests/dataplane/test_answering.py"
_POOL = "tests/dataplane/test_pool.py"
_BACKPRESSURE = "tests/dataplane/test_backpressure.py"
_PLACES = "tests/dataplane/test_places.py"
_DRAINING = "tests/dataplane/test_draining.py"
_SCENARIOS = "tests/scenarios"
_UPSTREAM = "tests/dataplane/test_upstream.py"
_AMBIGUITY = "tests/protocol/test_ambiguity.py"
_FACTS = "tests/pipeline/test_facts.py"
_EXCHANGE = "tests/pipeline/test_exchange.py"
_VERDICTS = "tests/pipeline/test_verdicts.py"
_OUTCOMES = "tests/pipeline/test_outcomes.py"
_GUARD = "tests/pipeline/test_guard.py"
_ALWAYS = "tests/pipeline/test_exchange_always.py"
_FAULTS = "tests/proxy/test_recorder_faults.py"
_ADMIN = "tests/proxy/test_admin.py"
_CLIENT = "tests/dataplane/test_client.py"
_LISTENER = "tests/dataplane/test_listener.py"
_ROWS = "tests/pipeline/test_rows.py"
_RELOAD = "tests/scenarios/test_reload.py"
_CONFIG = "tests/cli/test_config.py"
_READING = "tests/settings/test_reading.py"
_PASSES = "tests/pipeline/schema/test_passes.py"
_BOOK = "tests/store/sqlite/test_schema_book.py"

PROXY = (
    Requirement(
        "R1",
        "What works directly works through mcpr, byte for byte where nothing must change.",
        tests=(
            f"{_CONFORMANCE}::{_NO_DIFFERENCE}",
            f"{_CONFORMANCE}::test_our_own_server_passes_every_required_scenario",
            f"{_STORIES}::test_a_client_tells_the_same_story_through_mcpr_as_directly",
            f"{_HEADERS}::test_end_to_end_lines_pass_in_both_directions_as_they_came",
            f"{_HEADERS}::test_hop_by_hop_lines_end_here_in_both_directions",
            f"{_HEADERS}::test_every_status_passes_with_its_reason_and_its_body",
            f"{_CLIENT}::test_a_request_body_arrives_upstream_byte_for_byte",
            "tests/dataplane/test_untouched.py::test_what_a_later_revision_may_bring_passes_untouched",
            f"{_CLIENT}::test_pieces_of_any_size_in_both_directions_change_nothing",
            f"{_POOL}::test_a_request_is_never_sent_twice",
            _TRANSPARENCY,
        ),
        to_build=("H", "I"),
        planted=(f"{_CONFORMANCE}::test_a_relay_that_drops_one_header_turns_the_comparison_red",),
    ),
    Requirement(
        "R2",
        "Nothing in a stream waits; a slow reader slows its own; a gone client closes upstream.",
        tests=(
            f"{_UPSTREAM}::test_an_event_is_handed_on_before_the_next_one_comes",
            f"{_SCENARIOS}/test_upstreams.py::test_a_hundred_slow_readers_hold_up_nobody_and_fill_no_memory",
            f"{_BACKPRESSURE}::test_a_slow_reader_makes_its_own_upstream_wait_and_nobody_else",
            f"{_BACKPRESSURE}::test_an_upstream_that_reads_slowly_makes_its_own_client_wait",
            f"{_ANSWERING}::test_a_client_that_leaves_takes_its_upstream_exchange_with_it",
            f"{_STORIES}::test_a_call_that_a_client_gave_up_was_given_up_on_the_server",
        ),
        to_build=("H",),
    ),
    Requirement(
        "R3",
        "Messages are classified by parsing, as the server reads them.",
        tests=(
            "tests/protocol/test_jsonrpc.py::test_a_request_is_read_as_generous_servers_read_it",
            f"{_AMBIGUITY}::test_a_body_is_ambiguous_exactly_when_something_was_planted",
            f"{_AMBIGUITY}::test_out_of_a_clear_body_every_parser_reads_the_same_request",
            f"{_EXCHANGE}::test_a_batch_is_a_row_for_each_request_with_its_own_answer",
            f"{_EXCHANGE}::test_what_is_no_message_is_one_row_with_method_and_path_kept_here",
            f"{_ROWS}::test_mirrored_headers_that_differ_from_the_body_are_noted",
            f"{_ROWS}::test_a_body_that_can_be_read_in_two_ways_is_noted",
            "tests/pipeline/test_calls.py::test_a_mangled_request_makes_the_same_row",
            f"{_FACTS}::test_oauth_metadata_is_told_by_its_path",
        ),
        to_build=(LATER,),
    ),
    Requirement("R4", "One logical call is one operation, however many ids.", OPERATIONS, ("C",)),
    Requirement(
        "R5",
        "Outcomes tell the truth, and every failure has an origin.",
        tests=(
            "tests/events/test_outcome.py::test_everything_else_counts_in_the_error_rate",
            "tests/events/test_outcome.py::test_what_went_as_it_should_is_no_error",
            f"{_VERDICTS}::test_a_complete_exchange_ends_as_its_answer_and_its_status_say",
            f"{_VERDICTS}::test_every_outcome_and_every_origin_of_the_lists_is_reached",
            f"{_OUTCOMES}::test_a_code_tells_whose_doing_an_error_is",
            f"{_ALWAYS}::test_there_is_one_row_for_each_request_or_one_for_the_exchange",
            f"{_STORIES}::test_mcpr_recorded_each_step_of_the_story_with_its_outcome",
        ),
    ),
    Requirement(
        "R6",
        "Sessions and clients are known on both wires.",
        tests=SESSIONS,
        to_build=("C",),
    ),
    Requirement(
        "R7",
        "Changes of what a server offers are tracked and judged.",
        tests=(
            f"{_PASSES}::test_pages_are_merged_by_their_cursors",
            f"{_PASSES}::test_whatever_the_order_of_their_pages_each_client_sees_its_own_list",
            f"{_BOOK}::test_a_relisting_changes_nothing",
            f"{_BOOK}::test_versions_go_on_after_a_restart",
            f"{_BOOK}::test_a_list_that_comes_back_has_its_old_number",
            f"{_BOOK}::test_however_lists_oscillate_a_version_is_its_definitions",
            f"{_BOOK}::test_a_list_is_stale_from_the_servers_word_to_the_next_listing",
            "tests/events/schema/test_shapes.py::test_a_change_has_the_verdict_of_the_table",
            "tests/events/schema/test_suspicion.py::test_what_hides_or_orders_is_suspicious",
            "tests/store/questions/test_schema_changes.py::test_a_change_of_tools_is_measured_by_the_tools_that_it_changed",
            "tests/store/questions/test_schema_use.py::test_every_tool_has_its_use",
            f"{_SCENARIOS}/test_pinning.py::test_what_changed_is_denied_until_it_is_approved_on_every_proxy_and_after_a_restart",
            "tests/pipeline/test_pinning.py::test_what_is_not_approved_or_not_certain_does_not",
        ),
    ),
    Requirement(
        "R8",
        "A widget's content security policy is rewritten by rule.",
        tests=(
            "tests/pipeline/csp/test_rules.py::test_a_rule_holds",
            "tests/pipeline/csp/test_widgets.py::test_the_sandbox_domain_is_right_behind_the_proxy",
            "tests/pipeline/csp/test_editors.py::test_everything_else_goes_on_as_it_came",
            "tests/dataplane/test_editing.py::test_a_held_answer_goes_on_with_its_new_length",
            "tests/cli/test_csp.py::test_an_answer_is_as_in_its_golden_file",
            "tests/pipeline/csp/test_editors_always.py::test_nothing_differs_but_the_members_that_a_policy_is_written_in",
            "tests/pipeline/csp/test_editors_always.py::test_a_widget_that_declares_nothing_gets_what_the_operator_says",
            "tests/pipeline/csp/test_editors_always.py::test_lists_of_that_name_in_user_data_stay_and_hosts_are_compared_whole",
            "tests/scenarios/test_widgets.py::test_a_widget_loads_what_its_policy_allows_and_nothing_else",
            f"{_CONFORMANCE}::test_the_suite_finds_no_difference_where_policies_of_widgets_are_written",
        ),
    ),
    Requirement("R9", "One port serves one upstream or many.", (), ("I",)),
    Requirement(
        "R10",
        "Who may call what is guarded; foreign Host and Origin are refused by default.",
        tests=(
            f"{_GUARD}::test_a_foreign_host_is_refused",
            f"{_GUARD}::test_a_page_of_another_site_is_refused",
            f"{_HEADERS}::test_a_foreign_host_or_origin_is_refused_on_every_request_of_a_connection",
            f"{_CORS}::test_a_site_that_is_not_named_is_refused_and_told_nothing",
            f"{_CORS}::test_a_page_of_any_site_still_needs_a_host_that_is_served_here",
        ),
        to_build=(LATER,),
    ),
    Requirement(
        "R11",
        "Everything has a limit, and every limit its own answer.",
        tests=(
            "tests/protocol/test_limits.py::test_the_defaults_are_the_documented_ones",
            "tests/test_docs.py::test_every_limit_stands_in_its_page_with_its_default",
            "tests/test_docs.py::test_every_answer_of_our_own_stands_in_the_reference",
            f"{_ANSWERING}::test_a_body_over_the_limit_becomes_413_and_the_client_can_read_it",
            f"{_UPSTREAM}::test_a_json_answer_announced_as_too_large_becomes_502",
            f"{_UPSTREAM}::test_a_chunked_json_answer_over_the_limit_is_cut",
            f"{_PLACES}::test_a_full_queue_and_a_wait_that_was_too_long_become_503",
            f"{_PLACES}::test_a_stream_leaves_the_count_of_exchanges_and_has_one_of_its_own",
            f"{_PLACES}::test_an_upstream_that_does_not_accept_becomes_502_in_time",
            f"{_LISTENER}::test_an_upstream_that_does_not_begin_to_answer_becomes_504",
            f"{_LISTENER}::test_a_stream_may_begin_whenever_it_likes",
            f"{_LISTENER}::test_a_request_that_does_not_arrive_in_time_becomes_408",
            f"{_LISTENER}::test_a_connection_too_many_becomes_503_and_those_before_go_on",
            "tests/settings/test_run.py::test_limits_of_the_file_reach_the_data_plane",
            f"{_READING}::test_limits_of_a_server_are_the_common_ones_where_it_says_nothing",
        ),
        to_build=("H",),
    ),
    Requirement(
        "R12",
        "It drains, reloads, tells its state and counts its own losses.",
        tests=(
            "tests/cli/test_run.py::test_a_proxy_listens_records_and_ends_when_told",
            f"{_SCENARIOS}/test_drain.py::test_under_load_every_request_is_answered_and_every_event_is_written",
            f"{_DRAINING}::test_a_drain_answers_what_was_asked_and_refuses_new_connections",
            f"{_DRAINING}::test_a_drain_ends_open_streams_between_two_events",
            f"{_DRAINING}::test_what_is_not_done_in_time_is_cut_and_counted",
            f"{_ADMIN}::test_the_metrics_close_their_books_over_dead_companions_and_a_full_pipe",
            f"{_SCENARIOS}/test_metrics.py::test_what_is_scraped_is_what_is_stored",
            *STATE,
            f"{_SCENARIOS}/test_metrics.py::test_a_proxy_that_drains_is_not_ready_and_says_why",
            f"{_ADMIN}::test_what_needs_the_token_is_only_told_to_who_has_it",
            f"{_SCENARIOS}/test_access_log.py::test_no_line_is_lost_or_torn_by_rotation_under_load",
            f"{_SCENARIOS}/test_access_log.py::test_a_full_disk_ends_no_call_and_is_counted",
            "tests/sinks/test_prometheus.py::test_whatever_callers_invent_the_number_of_series_has_a_bound",
            "tests/proxy/test_metrics.py::test_the_reference_lists_every_metric_with_its_kind_and_labels",
            f"{_FAULTS}::test_the_books_close_whatever_happens_to_the_companion",
            f"{_READING}::test_every_mistake_is_named_in_one_run_in_the_order_of_the_file",
            f"{_READING}::test_a_mistake_has_its_line_its_key_its_reason_and_the_next_step",
            f"{_READING}::test_any_text_gives_settings_or_mistakes_with_a_line_in_it",
            f"{_RELOAD}::test_under_load_no_exchange_fails_whatever_is_reloaded",
            f"{_RELOAD}::test_a_changed_file_is_read_without_being_asked_and_a_wrong_one_changes_nothing",
            f"{_RELOAD}::test_the_form_of_the_log_changes_for_what_comes_then",
            f"{_RELOAD}::test_a_closed_terminal_ends_the_proxy_properly",
            f"{_RELOAD}::test_what_needs_a_restart_is_named_and_stays",
            f"{_RELOAD}::test_a_stream_goes_on_where_it_began_and_new_calls_go_where_they_should",
            f"{_CONFIG}::test_three_mistakes_are_repaired_from_the_messages_alone",
            f"{_CONFIG}::test_a_dump_shows_what_is_in_force_where_it_comes_from_and_no_secret",
            "tests/settings/test_substitution.py::test_marks_are_replaced_once_and_everything_else_stays",
            "tests/settings/test_json_schema.py::test_what_mcpr_takes_an_editor_takes",
        ),
        to_build=("H",),
    ),
)
