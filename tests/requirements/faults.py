"""Faults that an earlier proxy of this kind had in its record, and the tests that keep them out.

The numbers are those of the list from which they come. Held to the tests by test_requirements.py.
"""

from tests.requirements.promise import Requirement

_KEPT = "tests/store/sqlite/test_session_rows.py"
_IDENTITY = "tests/pipeline/test_identity.py"

FAULTS = (
    Requirement(
        "27",
        "After a restart, or with several proxies, calls lost their client and their session.",
        (
            f"{_KEPT}::test_a_session_keeps_its_client_in_calls_after_a_restart",
            f"{_KEPT}::test_two_proxies_on_one_store_share_what_they_know",
        ),
    ),
    Requirement(
        "28",
        "Ids of several sessions were taken for one another, and no session was ever forgotten.",
        (
            "tests/pipeline/test_unanswered.py::test_calls_of_several_sessions_with_one_id_are_told_apart",
            f"{_IDENTITY}::test_a_hundred_thousand_sessions_are_known_and_no_more",
        ),
    ),
    Requirement(
        "29",
        "A row was called by its JSON-RPC id, which many rows had.",
        ("tests/events/test_ids.py::test_the_same_millisecond_gives_different_ids",),
    ),
    Requirement(
        "30",
        "The store had no errors, no latency, no sizes.",
        ("tests/store/sqlite/test_writer.py::test_what_is_read_is_what_was_written",),
    ),
    Requirement(
        "31",
        "Streams had no end, size or error; cancelled and timed-out calls were not marked.",
        (
            "tests/pipeline/test_exchange_streams.py::test_a_stream_of_a_get_is_one_row_when_it_ends",
            "tests/pipeline/test_exchange_streams.py::test_a_cancelled_call_ends_as_cancelled_unless_it_was_answered",
        ),
    ),
    Requirement(
        "33",
        "Figures of one page disagreed, and one client was four.",
        (
            "tests/store/questions/test_agreement.py::test_every_question_counts_the_same_sessions",
            "tests/store/questions/test_clients.py::test_all_spellings_of_one_client_are_one_row",
            f"{_IDENTITY}::test_a_client_seen_on_the_wire_belongs_to_its_family",
        ),
    ),
)
