"""What mcpr promises, promise by promise, and the tests that prove it.

`tests` are the proofs that exist. `to_build` names the issues that build what is still missing
(A … J, or LATER where no issue is open yet); it is empty once the promise is kept whole.
`planted` is the test in which a violation is planted and must be found: a proof of privacy that
cannot turn red proves nothing.

Numbers: P1-P38 are the sentences of the privacy policy, T1-T6 those of the terms, R1-R12 what the
proxy does. `test_requirements.py` holds this list to itself and to the tests.
"""

from dataclasses import dataclass

LATER = "later"
ISSUES = (*"ABCDEFGHIJ", LATER)

UNBUILT_CEILING = 51
"""How many promises have no test yet. Lower it when one gets its first; never raise it."""

UNFINISHED_CEILING = 55
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
_NO_DIFFERENCE = "test_the_suite_finds_no_difference_between_mcpr_and_the_server_behind_it"
_ALLOW_LIST = (
    f"{_ENVELOPE}::test_the_keys_are_the_allow_list_and_nothing_else",
    f"{_ENVELOPE}::test_an_event_leaves_the_same_way_with_and_without_its_detail",
)
_REFUSED = (f"{_ENVELOPE}::test_an_event_with_an_unknown_key_is_refused",)

POLICY = (
    Requirement("P1", "Signing up takes an e-mail address and nothing else.", to_build=("E",)),
    Requirement(
        "P2", "There is no password anywhere: a mailed link or code signs in.", to_build=("E",)
    ),
    Requirement("P3", "The address gets sign-in and service mail only.", to_build=("E",)),
    Requirement(
        "P4",
        "An event that leaves carries the listed metadata, what follows from it, and no more.",
        tests=_ALLOW_LIST,
        to_build=("E",),
        planted=_REFUSED,
    ),
    Requirement(
        "P5", "Sizes leave as counts of bytes.", _ALLOW_LIST, to_build=("E",), planted=_REFUSED
    ),
    Requirement("P6", "Arguments of tools never leave.", to_build=("A", "E")),
    Requirement("P7", "Results of tools never leave.", to_build=("A", "E")),
    Requirement(
        "P8", "Prompts, sampling, elicitation and completion never leave.", to_build=("A", "E")
    ),
    Requirement(
        "P9",
        "No resource, query, header value, credential or error text leaves.",
        to_build=("A", "E"),
    ),
    Requirement(
        "P10",
        "MCP traffic stays between client and server unless the tunnel is on.",
        to_build=("B", "G"),
    ),
    Requirement("P11", "Client addresses are never stored for long.", to_build=("A", "E", "G")),
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
        tests=("tests/test_docs.py::test_the_license_is_apache_2_and_goes_into_the_package",),
    ),
    Requirement(
        "P34",
        "Without cloud settings the proxy connects to its upstream and nothing else.",
        to_build=("B",),
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
        tests=(f"{_CONFORMANCE}::{_NO_DIFFERENCE}",),
        to_build=("B", "H", "I"),
        planted=(f"{_CONFORMANCE}::test_a_relay_that_drops_one_header_turns_the_comparison_red",),
    ),
    Requirement(
        "R2",
        "Nothing in a stream waits; a slow reader slows its own; a gone client closes upstream.",
        to_build=("A", "H"),
    ),
    Requirement("R3", "Messages are classified by parsing, as the server reads them.", (), ("A",)),
    Requirement("R4", "One logical call is one operation, however many ids it has.", (), ("C",)),
    Requirement(
        "R5",
        "Outcomes tell the truth, and every failure has an origin.",
        tests=(
            "tests/events/test_outcome.py::test_everything_else_counts_in_the_error_rate",
            "tests/events/test_outcome.py::test_what_went_as_it_should_is_no_error",
        ),
        to_build=("A",),
    ),
    Requirement("R6", "Sessions and clients are known on both wires.", (), ("C",)),
    Requirement("R7", "Changes of what a server offers are tracked and judged.", (), ("C",)),
    Requirement("R8", "A widget's content security policy is rewritten by rule.", (), ("C",)),
    Requirement("R9", "One port serves one upstream or many.", (), ("I",)),
    Requirement(
        "R10",
        "Who may call what is guarded; foreign Host and Origin are refused by default.",
        to_build=("A", LATER),
    ),
    Requirement("R11", "Everything has a limit, and every limit its own answer.", (), ("A", "H")),
    Requirement(
        "R12", "It drains, reloads, tells its state and counts its own losses.", (), ("B", "H")
    ),
)

REQUIREMENTS = (*POLICY, *TERMS, *PROXY)
