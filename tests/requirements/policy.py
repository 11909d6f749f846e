"""P1-P38: the sentences of the privacy policy."""

from tests.requirements.promise import Requirement

_ENVELOPE = "tests/events/test_envelope.py"
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
    "tests/proxy/privacy_proof/test_running.py::test_a_running_proxy_keeps_nothing_and_its_server_is_asked_for_nothing_it_has",
    f"{_CANARIES}::test_every_canary_was_on_the_wire",
    "tests/sinks/test_access.py::test_no_line_holds_anything_of_the_detail_or_of_a_trace",
    "tests/sinks/test_otlp.py::test_nothing_that_is_exported_depends_on_the_detail",
    "tests/cli/test_privacy_proof.py::test_the_report_is_dated_and_says_what_was_searched_and_what_came_of_it",
    "tests/scenarios/test_otlp.py::test_every_call_is_a_span_of_its_callers_trace_and_nothing_else_goes_out",
    f"{_CANARIES}::test_what_was_said_is_nowhere",
    f"{_CANARIES}::test_stderr_has_only_envelopes_and_words_of_ours",
    "tests/privacy/test_altered_proxies.py::test_a_mistake_of_ours_repeats_nothing_of_what_was_said",
)
_LEAK = (
    "tests/privacy/test_altered_proxies.py::test_a_planted_leak_is_found",
    "tests/proxy/privacy_proof/test_proof.py::test_a_planted_leak_is_found",
    "tests/proxy/privacy_proof/test_running.py::test_a_leak_into_a_log_that_is_named_is_found",
)
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
_ROWS = "tests/pipeline/test_rows.py"
_PAGES = "tests/console/test_app.py"
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
    Requirement(
        "P15",
        "Every dashboard works from the metadata alone.",
        tests=(f"{_PAGES}::test_the_figures_of_the_overview_are_those_of_the_questions",),
        to_build=("F",),
    ),
    Requirement(
        "P16",
        "Mail is sent for sign-in, outages, security and policy changes only.",
        to_build=("E",),
    ),
    Requirement("P17", "Product analytics are sums without persons.", to_build=("E",)),
    Requirement("P18", "Rates are limited and abuse of tunnels is stopped.", to_build=("E", "G")),
    Requirement(
        "P19",
        "Events older than 90 days are gone from the files.",
        tests=(
            "tests/store/sqlite/test_vacuum.py::test_what_was_deleted_is_gone_from_every_byte_beside_a_running_writer",
            "tests/store/sqlite/test_retention.py::test_events_older_than_90_days_are_gone_from_the_bytes_of_the_files",
        ),
        to_build=("E",),
    ),
    Requirement(
        "P20", "Account data is gone within 30 days of the wish to delete it.", to_build=("E",)
    ),
    Requirement("P21", "Tunnel logs older than 7 days are gone.", to_build=("G",)),
    Requirement("P22", "Nothing is sold.", to_build=("E",)),
    Requirement(
        "P23",
        "No page loads anything from another origin.",
        tests=(
            f"{_PAGES}::test_no_page_has_anything_inline_or_of_another_origin",
            f"{_PAGES}::test_every_answer_has_the_policy_and_is_not_kept",
            "tests/console/test_pages_in_chromium.py::test_a_page_is_clean_and_readable_by_all",
        ),
        to_build=("F",),
    ),
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
