"""What mcpr promises, promise by promise, and the tests that prove it.

`tests` are the proofs that exist. `to_build` names the issues that build what is still missing
(A … J, or LATER where no issue is open yet); it is empty once the promise is kept whole.
`planted` is the test in which a violation is planted and must be found: a proof of privacy that
cannot turn red proves nothing.

Numbers: P1-P38 are the sentences of the privacy policy, T1-T6 those of the terms, R1-R12 what the
proxy does. `test_requirements.py` holds this list to itself and to the tests.
"""

from tests.requirements.policy import POLICY
from tests.requirements.promise import ISSUES, LATER, Requirement
from tests.requirements.proxy import PROXY
from tests.requirements.terms import TERMS

__all__ = [
    "ISSUES",
    "LATER",
    "MUST_BE_PLANTED",
    "REQUIREMENTS",
    "UNBUILT_CEILING",
    "UNFINISHED_CEILING",
    "Requirement",
]

UNBUILT_CEILING = 32
"""How many promises have no test yet. Lower it when one gets its first; never raise it."""

UNFINISHED_CEILING = 51
"""How many promises an issue still has to finish. Lower it; never raise it."""

MUST_BE_PLANTED = frozenset({"P4", "P5", "P6", "P7", "P8", "P9", "P19", "P28", "P34"})

REQUIREMENTS = (*POLICY, *TERMS, *PROXY)
