"""The exact client and the checks that make a figure invalid."""

import dataclasses
import itertools

import pytest

from benches import calls, load, subjects

GOOD = load.WrkResult(
    requests=10,
    duration_us=1_000_000,
    bytes=4000,
    connect=0,
    read=0,
    write=0,
    status=0,
    timeout=0,
    p50_us=1.0,
    p90_us=2.0,
    p99_us=3.0,
)


def test_the_exact_client_sends_as_many_calls_as_it_is_given_ids() -> None:
    with subjects.running_upstream() as upstream:
        load.shake_hands(upstream + "/mcp")
        ids = itertools.islice(calls.request_ids(), 150)
        assert load.send_calls(upstream + "/mcp", ids, connections=8) == 150


@pytest.mark.parametrize("heads", ["seen", "traceparent"])
def test_the_exact_client_reads_answers_of_either_form(heads: load.Heads) -> None:
    with subjects.running_upstream() as upstream:
        for path in ("/mcp", "/sse"):
            ids = itertools.islice(calls.request_ids(), 30)
            assert load.send_calls(upstream + path, ids, 4, heads) == 30


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("connect", "failed connects"),
        ("read", "read errors"),
        ("write", "write errors"),
        ("status", "answers of 400 and more"),
        ("timeout", "timeouts"),
    ],
)
def test_one_failed_request_makes_the_run_invalid(field: str, words: str) -> None:
    assert GOOD.fault is None
    assert dataclasses.replace(GOOD, **{field: 1}).fault == f"1 {words}"


def test_a_run_without_answers_is_invalid() -> None:
    assert dataclasses.replace(GOOD, requests=0).fault == "no answer at all"
