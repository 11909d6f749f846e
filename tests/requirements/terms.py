"""T1-T6: the sentences of the terms."""

from tests.requirements.promise import Requirement

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
