"""What a proxy must do that stands transparently before MCP servers, and the tests that prove it.

The duties are of mcpr's own making, drawn from the specification's revisions and from what real
clients and servers do. `tests` prove one as far as it is built; `to_build` names the issues that
build the rest. `test_must_do.py` holds this list to the tests, and docs/topics/must-do.md to it:

    python -m tests.must_do > docs/topics/must-do.md
"""

import sys
from collections.abc import Iterator

from tests.requirements import LATER, Requirement

_UNTOUCHED = "tests/dataplane/test_untouched.py"
_HEADERS = "tests/dataplane/test_proxy_headers.py"
_CLIENT = "tests/dataplane/test_client.py"
_UPSTREAM = "tests/dataplane/test_upstream.py"
_LISTENER = "tests/dataplane/test_listener.py"
_ANSWERING = "tests/dataplane/test_answering.py"
_REFUSALS = "tests/dataplane/test_refusals.py"
_POOL = "tests/dataplane/test_pool.py"
_EDITING = "tests/dataplane/test_editing.py"
_SESSIONS = "tests/pipeline/test_exchange_sessions.py"
_STREAMS = "tests/pipeline/test_exchange_streams.py"
_UNANSWERED = "tests/pipeline/test_unanswered.py"
_EDITORS = "tests/pipeline/csp/test_editors.py"
_WIDGETS = "tests/pipeline/csp/test_widgets.py"
_FAULTS = "tests/proxy/test_recorder_faults.py"
_CANARIES = "tests/privacy/test_canary_run.py"
_CONFORMANCE = "tests/conformance/test_conformance.py"
_STORIES = "tests/conformance/test_stories.py"

MUST_DO = (
    Requirement(
        "M1",
        "Method, path, query, end-to-end headers and body pass as they are; only hop-by-hop headers"
        " change.",
        (
            f"{_HEADERS}::test_every_method_passes",
            f"{_HEADERS}::test_end_to_end_lines_pass_in_both_directions_as_they_came",
            f"{_HEADERS}::test_hop_by_hop_lines_end_here_in_both_directions",
            f"{_CLIENT}::test_a_request_body_arrives_upstream_byte_for_byte",
            f"{_CLIENT}::test_pieces_of_any_size_in_both_directions_change_nothing",
            f"{_CONFORMANCE}::test_the_suite_finds_no_difference_between_mcpr_and_the_server_behind_it",
        ),
    ),
    Requirement(
        "M2",
        "Streams: the head at once, then piece by piece; no deadline on a stream; connecting and"
        " idle connections have deadlines that can be set.",
        (
            f"{_UPSTREAM}::test_an_event_is_handed_on_before_the_next_one_comes",
            f"{_LISTENER}::test_a_stream_may_begin_whenever_it_likes",
            f"{_UNTOUCHED}::test_no_deadline_hangs_over_a_stream_that_has_begun",
            "tests/dataplane/test_places.py::test_an_upstream_that_does_not_accept_becomes_502_in_time",
            f"{_LISTENER}::test_a_connection_without_requests_is_closed_in_time",
            "tests/settings/test_run.py::test_limits_of_the_file_reach_the_data_plane",
        ),
    ),
    Requirement(
        "M3",
        "A client that goes takes its upstream exchange with it at once; a server that goes ends"
        " the client's stream at the same byte, and nothing is made up.",
        (
            f"{_ANSWERING}::test_a_client_that_leaves_takes_its_upstream_exchange_with_it",
            f"{_ANSWERING}::test_a_client_that_leaves_in_mid_upload_takes_its_upstream_exchange_with_it",
            f"{_STORIES}::test_a_call_that_a_client_gave_up_was_given_up_on_the_server",
            f"{_UPSTREAM}::test_an_answer_cut_in_mid_body_is_seen_as_unfinished",
            f"{_UPSTREAM}::test_an_answer_that_ends_with_its_connection_ends_with_the_clients",
        ),
    ),
    Requirement(
        "M4",
        "POST, GET, DELETE, OPTIONS and HEAD pass; so do 202, 4xx and the bodies of errors.",
        (
            f"{_HEADERS}::test_every_method_passes",
            f"{_HEADERS}::test_options_for_the_whole_server_pass",
            f"{_HEADERS}::test_an_answer_to_head_has_the_headers_of_the_body_and_not_the_body",
            f"{_HEADERS}::test_every_status_passes_with_its_reason_and_its_body",
        ),
    ),
    Requirement(
        "M5",
        "Every header of MCP, of authorization and of tracing passes, both ways.",
        (
            f"{_UNTOUCHED}::test_a_header_of_mcp_passes_in_both_directions",
            f"{_CONFORMANCE}::test_a_relay_that_drops_one_header_turns_the_comparison_red",
        ),
    ),
    Requirement(
        "M6",
        "The framing of events passes: event, id, retry, empty data, comments, line ends.",
        (f"{_UNTOUCHED}::test_the_framing_of_events_passes_byte_for_byte",),
    ),
    Requirement(
        "M7",
        "The era is a property of each request; eras are never translated; headers that contradict"
        " the body are noted, not refused.",
        (
            f"{_UNTOUCHED}::test_every_request_of_a_connection_is_of_the_era_that_it_says_itself",
            f"{_SESSIONS}::test_both_eras_may_be_spoken_in_turn_on_one_session",
            f"{_UNTOUCHED}::test_headers_that_contradict_the_body_pass_and_are_noted",
            f"{_UNTOUCHED}::test_space_around_a_mirrored_name_is_no_contradiction",
        ),
    ),
    Requirement(
        "M8",
        "Recording is passive and bounded, and can neither fail nor delay a message; what cannot be"
        " understood passes and is counted.",
        (
            f"{_UNTOUCHED}::test_a_body_that_may_not_be_understood_passes_and_is_counted",
            f"{_CONFORMANCE}::test_the_suite_notices_nothing_while_the_recorder_is_killed_again_and_again",
            f"{_FAULTS}::test_a_stopped_companion_costs_bounded_memory_and_counted_events_until_it_goes_on",
            f"{_FAULTS}::test_the_books_close_whatever_happens_to_the_companion",
            "tests/scenarios/test_kills.py::test_a_companion_that_is_killed_is_replaced_and_calls_go_on",
            "tests/pipeline/test_digest.py::test_whatever_comes_the_bound_holds_and_all_is_given_back",
        ),
    ),
    Requirement(
        "M9",
        "Answers are found by session, direction and id, on a later stream too; subscriptions by"
        " their request; streams side by side; rounds of one call and tasks by what links them.",
        (
            f"{_STREAMS}::test_a_call_answered_by_events_ends_with_its_answer_after_progress_and_questions",
            f"{_UNANSWERED}::test_a_call_that_is_answered_on_a_later_get_is_one_row_with_all_its_time",
            f"{_UNANSWERED}::test_calls_of_several_sessions_with_one_id_are_told_apart",
            f"{_STREAMS}::test_without_a_session_ids_of_several_clients_are_not_mixed_up",
            f"{_STREAMS}::test_a_subscription_is_a_stream_that_somebody_ends",
            f"{_UNTOUCHED}::test_streams_of_one_session_go_on_side_by_side",
            f"{_STORIES}::test_mcpr_recorded_each_step_of_the_story_with_its_outcome",
        ),
        ("C",),
    ),
    Requirement(
        "M10",
        "Errors of our own are 502, 503 or 504, say that they are ours, and use no code that MCP"
        " reserves and no status that clients act upon.",
        (
            f"{_REFUSALS}::test_an_upstreams_trouble_is_never_told_by_a_status_that_clients_act_upon",
            f"{_REFUSALS}::test_a_refusal_is_a_whole_answer_that_names_its_maker",
            f"{_REFUSALS}::test_a_refused_json_rpc_request_is_answered_with_its_own_id",
        ),
    ),
    Requirement(
        "M11",
        "Foreign Host and Origin are refused at our edge; the server is called by its own name and"
        " told the one that was used.",
        (
            f"{_HEADERS}::test_a_foreign_host_or_origin_is_refused_on_every_request_of_a_connection",
            f"{_HEADERS}::test_the_upstream_is_called_by_its_own_name_and_told_the_one_that_was_used",
            f"{_HEADERS}::test_what_a_client_says_of_forwarding_is_not_believed",
            f"{_CONFORMANCE}::test_only_the_guard_of_mcpr_changes_what_the_dns_rebinding_scenario_finds",
        ),
    ),
    Requirement(
        "M12",
        "Only what must be rewritten is (Location, the endpoint event, metadata of authorization,"
        " server cards, widgets' policies), each by a switch, with its framing right.",
        (
            "tests/test_docs.py::test_what_does_not_cross_the_proxy_is_what_the_page_says",
            f"{_EDITING}::test_a_held_answer_goes_on_with_its_new_length",
            f"{_EDITING}::test_what_needs_no_change_goes_on_exactly",
            "tests/protocol/test_members.py::test_an_edit_touches_what_it_names",
        ),
        ("I",),
    ),
    Requirement(
        "M13",
        "Widgets' policies: both families of keys, lists and reads, JSON and events, never tools;"
        " sandbox domains per host; hints for caches stay true.",
        (
            f"{_WIDGETS}::test_both_shapes_say_the_same",
            f"{_WIDGETS}::test_what_is_no_widget_stays",
            f"{_WIDGETS}::test_the_sandbox_domain_is_right_behind_the_proxy",
            f"{_EDITORS}::test_a_widget_is_found_and_only_its_meta_changes",
            f"{_EDITORS}::test_everything_else_goes_on_as_it_came",
            f"{_EDITORS}::test_an_event_with_a_widget_is_edited_and_the_rest_is_not",
            f"{_EDITORS}::test_hints_for_caches_stay_for_every_client_is_told_the_same",
        ),
    ),
    Requirement(
        "M14",
        "Credentials pass untouched where the server authenticates; where mcpr does, they end"
        " here.",
        (f"{_UNTOUCHED}::test_a_header_of_mcp_passes_in_both_directions",),
        ("I", LATER),
    ),
    Requirement(
        "M15",
        "No secret and no payload is logged or kept.",
        (
            f"{_CANARIES}::test_what_was_said_is_nowhere",
            f"{_CANARIES}::test_stderr_has_only_envelopes_and_words_of_ours",
        ),
    ),
    Requirement(
        "M16",
        "Redirects are not followed, a POST is never sent twice, no session is opened for a"
        " client.",
        (
            f"{_UNTOUCHED}::test_a_redirect_is_the_clients_to_follow",
            f"{_POOL}::test_a_request_is_never_sent_twice",
            f"{_UNTOUCHED}::test_a_lost_session_is_the_clients_to_open_anew",
        ),
    ),
    Requirement(
        "M17",
        "The transport of 2024-11-05: two endpoints, answers on the other connection.",
        (
            f"{_UNANSWERED}::test_on_the_oldest_transport_an_accepted_call_is_unread_and_unlinked",
            "tests/pipeline/test_facts.py::test_a_post_of_the_old_transport_names_its_session_in_the_query",
        ),
        ("I",),
    ),
    Requirement("M18", "Servers on standard input and output.", (), ("I",)),
    Requirement(
        "M19",
        "What a later revision brings passes untouched: methods, versions, headers, _meta, kinds of"
        " results, extensions.",
        (
            f"{_UNTOUCHED}::test_what_a_later_revision_may_bring_passes_untouched",
            f"{_UNTOUCHED}::test_a_header_of_mcp_passes_in_both_directions",
        ),
    ),
)


def render() -> Iterator[str]:
    """The lines of docs/topics/must-do.md."""
    yield "# What a transparent proxy must do"
    yield ""
    yield "Nineteen duties, drawn from the specification and from what clients and servers do, and"
    yield "the tests that hold mcpr to them. Written by `python -m tests.must_do` from"
    yield "`tests/must_do.py`."
    for duty in MUST_DO:
        yield ""
        yield f"**{duty.id[1:]}. {duty.sentence}**"
        if duty.to_build:
            yield f"Not whole yet (issue {', '.join(duty.to_build)})."
        yield ""
        for test in duty.tests:
            file, _, name = test.partition("::")
            yield f"* [`{name}`](../../{file})"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in render())
