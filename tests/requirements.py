"""What mcpr promises, promise by promise, and the tests that prove it.

`tests` are the proofs that exist. `to_build` names the issues that build what is still missing
(A … J, or LATER where no issue is open yet); it is empty once the promise is kept whole.
`planted` is the test in which a violation is planted and must be found: a proof of privacy that
cannot turn red proves nothing.

Numbers: P1-P38 are the sentences of the privacy policy, T1-T6 those of the terms, R1-R12 what the
proxy does. `test_requirements.py` holds this list to itself and to the tests.
"""

from dataclasses import dataclass

from tests.proofs import OPERATIONS, SESSIONS

LATER = "later"
ISSUES = (*"ABCDEFGHIJ", LATER)

UNBUILT_CEILING = 35
"""How many promises have no test yet. Lower it when one gets its first; never raise it."""

UNFINISHED_CEILING = 52
"""How many promises an issue still has to finish. Lower it; never raise it."""

MUST_BE_PLANTED = frozenset({"P4", "P5", "P6", "P7", "P8", "P9", "P19", "P28", "P34"})


@dataclass(frozen=True)
class Requirement:
    """One promise: its id, what it says, what proves it, who builds the rest."""

    id: str
    sentence: str
    tests: tuple[str, ...] = ()
    to_build: tuple[str, ...] = ()
    planted: tuple[str, ...] = ()


_ENVELOPE = "tests/events/test_envelope.py"
_CONFORMANCE = "tests/conformance/test_conformance.py"
_STORIES = "tests/conformance/test_stories.py"
_NO_DIFFERENCE = "test_the_suite_finds_no_difference_between_mcpr_and_the_server_behind_it"
_ALLOW_LIST = (
    f"{_ENVELOPE}::test_the_keys_are_the_allow_list_and_nothing_else",
    f"{_ENVELOPE}::test_an_event_leaves_the_same_way_with_and_without_its_detail",
)
_SCHEMA_ALLOW_LIST = (
    "tests/events/schema/test_event.py::test_the_keys_are_the_allow_list_and_nothing_else"
)
_SESSION_ALLOW_LIST = (
    "tests/events/test_session.py::test_the_keys_are_the_allow_list_and_nothing_else"
)
_REFUSED = (f"{_ENVELOPE}::test_an_event_with_an_unknown_key_is_refused",)
_CANARIES = "tests/privacy/test_canary_run.py"
_NOWHERE = (
    "tests/proxy/privacy_proof/test_proof.py::test_the_shipped_proxy_keeps_nothing_of_what_is_said",
    f"{_CANARIES}::test_every_canary_was_on_the_wire",
    "tests/scenarios/test_otlp.py::test_every_call_is_a_span_of_its_callers_trace_and_nothing_else_goes_out",
    f"{_CANARIES}::test_what_was_said_is_nowhere",
    f"{_CANARIES}::test_stderr_has_only_envelopes_and_words_of_ours",
    "tests/privacy/test_altered_proxies.py::test_a_mistake_of_ours_repeats_nothing_of_what_was_said",
)
_LEAK = ("tests/privacy/test_altered_proxies.py::test_a_planted_leak_is_found",)
_CONNECTIONS = "tests/privacy/test_connections.py"
_NETWORK = "tests/privacy/test_network.py"
_ONLY_UPSTREAM = (
    f"{_CONNECTIONS}::test_no_connection_is_opened_but_to_the_upstream",
    f"{_NETWORK}::test_nothing_leaves_but_to_the_upstream_from_the_start_to_the_end",
    f"{_NETWORK}::test_nothing_leaves_when_it_dies",
)
_PLANTED_CONNECTION = (
    f"{_CONNECTIONS}::test_a_planted_connection_is_found",
    f"{_NETWORK}::test_a_planted_packet_is_heard",
    f"{_NETWORK}::test_a_planted_look_up_is_heard",
)
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
_SESSION_NAMES = "tests/privacy/test_session_names.py"

POLICY = (
    Requirement("P1", "Signing up takes an e-mail address and nothing else.", to_build=("E",)),
    Requirement(
        "P2", "There is no password anywhere: a mailed link or code signs in.", to_build=("E",)
    ),
    Requirement("P3", "The address gets sign-in and service mail only.", to_build=("E",)),
    Requirement(
        "P4",
        "An event that leaves carries the listed metadata, what follows from it, and no more.",
        tests=(
            *_ALLOW_LIST,
            _SCHEMA_ALLOW_LIST,
            _SESSION_ALLOW_LIST,
            f"{_ROWS}::test_whatever_a_client_sends_its_row_has_a_public_form",
        ),
        to_build=("E",),
        planted=_REFUSED,
    ),
    Requirement(
        "P5", "Sizes leave as counts of bytes.", _ALLOW_LIST, to_build=("E",), planted=_REFUSED
    ),
    Requirement("P6", "Arguments of tools never leave.", _NOWHERE, ("E",), planted=_LEAK),
    Requirement("P7", "Results of tools never leave.", _NOWHERE, ("E",), planted=_LEAK),
    Requirement(
        "P8",
        "Prompts, sampling, elicitation and completion never leave.",
        tests=_NOWHERE,
        to_build=("E",),
        planted=_LEAK,
    ),
    Requirement(
        "P9",
        "No resource, query, header value, credential or error text leaves.",
        tests=(
            *_NOWHERE,
            f"{_CANARIES}::test_local_detail_stays_in_the_store_and_is_not_there_when_switched_off",
            f"{_CANARIES}::test_every_word_stands_in_the_one_column_that_is_for_it",
            f"{_SESSION_NAMES}::test_the_name_is_no_digest_that_others_could_compute",
        ),
        to_build=("E",),
        planted=_LEAK,
    ),
    Requirement(
        "P10",
        "MCP traffic stays between client and server unless the tunnel is on.",
        tests=_ONLY_UPSTREAM,
        to_build=("G",),
        planted=_PLANTED_CONNECTION,
    ),
    Requirement(
        "P11",
        "Client addresses are never stored for long.",
        tests=(f"{_CANARIES}::test_the_address_of_the_client_is_nowhere",),
        to_build=("E", "G"),
        planted=_LEAK,
    ),
    Requirement("P12", "Client addresses are never tied to an account.", to_build=("E", "G")),
    Requirement("P13", "A tunnel's record is its name, times and bytes.", to_build=("G",)),
    Requirement(
        "P14", "Use of the dashboard is recorded as page, feature, range.", to_build=("E",)
    ),
    Requirement("P15", "Every dashboard works from the metadata alone.", to_build=("D", "F")),
    Requirement(
        "P16",
        "Mail is sent for sign-in, outages, security and policy changes only.",
        to_build=("E",),
    ),
    Requirement("P17", "Product analytics are sums without persons.", to_build=("E",)),
    Requirement("P18", "Rates are limited and abuse of tunnels is stopped.", to_build=("E", "G")),
    Requirement("P19", "Events older than 90 days are gone from the files.", to_build=("D", "E")),
    Requirement(
        "P20", "Account data is gone within 30 days of the wish to delete it.", to_build=("E",)
    ),
    Requirement("P21", "Tunnel logs older than 7 days are gone.", to_build=("G",)),
    Requirement("P22", "Nothing is sold.", to_build=("E",)),
    Requirement("P23", "No page loads anything from another origin.", to_build=("D", "F")),
    Requirement("P24", "Nothing goes to third parties but as the policy says.", to_build=("E",)),
    Requirement("P25", "The place of processing is a stated setting.", to_build=("E",)),
    Requirement(
        "P26", "What travels to cloud and relay is encrypted, loopback apart.", to_build=("E", "G")
    ),
    Requirement("P27", "A sign-in link works once, briefly, and is kept hashed.", to_build=("E",)),
    Requirement(
        "P28", "What belongs to another project answers as if it did not exist.", to_build=("E",)
    ),
    Requirement("P29", "People see all that is held about them.", to_build=("E", "F")),
    Requirement("P30", "People delete their account and its data by themselves.", to_build=("E",)),
    Requirement("P31", "People export their event data.", to_build=("E",)),
    Requirement("P32", "A privacy contact is shown.", to_build=("E",)),
    Requirement(
        "P33",
        "mcpr is Apache-2.0 and runs wholly on the user's machines.",
        tests=(
            "tests/test_docs.py::test_the_license_is_apache_2_and_goes_into_the_package",
            "tests/packaging/test_install.py::test_a_call_through_it_is_recorded_and_shown",
        ),
    ),
    Requirement(
        "P34",
        "Without cloud settings the proxy connects to its upstream and nothing else.",
        tests=_ONLY_UPSTREAM,
        planted=_PLANTED_CONNECTION,
    ),
    Requirement("P35", "The cloud is off until somebody configures it.", to_build=("E",)),
    Requirement("P36", "People confirm at sign-up that they are 16 or older.", to_build=("E",)),
    Requirement("P37", "Changes of the policy that matter are mailed to all.", to_build=("E",)),
    Requirement("P38", "The policy's page shows its dates.", to_build=("E",)),
)

TERMS = (
    Requirement("T1", "One person or entity for each account.", to_build=("E",)),
    Requirement("T2", "What may not be done with the service is written down.", to_build=("E",)),
    Requirement(
        "T3", "An operator can suspend an account, a project, a tunnel.", to_build=("E", "G")
    ),
    Requirement("T4", "People own their data.", to_build=("E",)),
    Requirement("T5", "As P20.", to_build=("E",)),
    Requirement(
        "T6",
        "While the cloud is down the proxy works on and delivers later, each event once.",
        to_build=("E",),
    ),
)

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
        ),
        to_build=("C",),
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

REQUIREMENTS = (*POLICY, *TERMS, *PROXY)
