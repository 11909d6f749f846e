"""pipeline/calls: texts that are decoded as the lines of one text are told apart exactly."""

import pytest
from tests.pipeline.messages import call_tool, result
from tests.pipeline.playbook import session
from tests.pipeline.test_calls import a_call, assert_same

ONE, TWO = call_tool("add", id=1), call_tool("add", id=2)
#: Texts of which only all together, or some, are what one of them should be.
ENTANGLED = {
    "two in one, and none": [ONE + TWO, b""],
    "two in one, and a blank": [ONE + b"\n" + TWO, b" "],
    "two in one, and two halves": [ONE + TWO, ONE[:20], ONE[20:]],
    "halves at a brace": [ONE + TWO, ONE[: ONE.rindex(b"{")], ONE[ONE.rindex(b"{") :]],
    "halves in a string": [b'{"id":1,"method":"}', b'{"}', ONE + TWO],
    "an open list": [b'{"id":1,"params":[{}', b"{}]}"],
    "nothing at all": [b"", b""],
}


@pytest.mark.parametrize("texts", ENTANGLED.values(), ids=ENTANGLED)
def test_what_is_read_together_is_not_taken_together(texts: list[bytes]) -> None:
    """Bodies, and answers, are decoded as the lines of one text; each must end in its line."""
    assert_same([a_call(text, result(1), session("s")) for text in [*texts, ONE]])
    answers = [text.replace(b"method", b"result") for text in texts]
    assert_same([a_call(ONE, answer, session("s")) for answer in [*answers, result(1)]])
