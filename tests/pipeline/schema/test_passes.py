"""Pages into lists: of each client's own pass, whole, whatever others do in between."""

from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.schema.pages import SERVER, names, pages, tool, walk
from tests.protocol.size import examples

from mcpr.pipeline.schema import Page, Passes
from mcpr.pipeline.schema import passes as room
from mcpr.pipeline.schema.passes import MAX_PAGES, MAX_PASS_MS, MAX_PASSES

TOOLS = [tool(name) for name in "abcdef"]


def test_a_list_on_one_page_is_whole() -> None:
    snapshot = walk(Passes(), pages(TOOLS, 10))
    assert names(snapshot) == [*"abcdef"]
    assert snapshot is not None
    assert (snapshot.pages, snapshot.size) == (1, sum(map(len, TOOLS)))


def test_pages_are_merged_by_their_cursors() -> None:
    passes = Passes()
    snapshot = walk(passes, pages(TOOLS, 2))
    assert names(snapshot) == [*"abcdef"]
    assert snapshot is not None
    assert snapshot.pages == 3
    assert len(passes) == 0


def test_a_later_page_alone_is_no_list() -> None:
    """mcpr 0.4 took later pages for complete lists (11.3, 32)."""
    passes = Passes()
    for page in pages(TOOLS, 2)[1:]:
        assert passes.add(SERVER, b"a", page, 0) is None
    assert passes.strays == 2


def test_pages_out_of_turn_are_not_used_and_the_pass_goes_on() -> None:
    passes = Passes()
    first, second, third = pages(TOOLS, 2)
    assert walk(passes, [first, third]) is None
    assert passes.strays == 1
    assert names(walk(passes, [second, third])) == [*"abcdef"]


def test_a_page_that_is_asked_for_twice_counts_once() -> None:
    first, second, third = pages(TOOLS, 2)
    assert names(walk(Passes(), [first, second, second, first, second, third])) == [*"abcdef"]


def test_passes_of_two_clients_with_the_same_cursors_do_not_mix() -> None:
    """mcpr 0.4.1 mixed clients (11.3, 32)."""
    passes = Passes()
    mine, theirs = pages(TOOLS, 2), pages([tool(name) for name in "uvwxyz"], 2)
    for one, other in zip(mine[:-1], theirs[:-1], strict=True):
        walk(passes, [one], b"mine")
        walk(passes, [other], b"theirs")
    assert names(passes.add(SERVER, b"mine", mine[-1], 0)) == [*"abcdef"]
    assert names(passes.add(SERVER, b"theirs", theirs[-1], 0)) == [*"uvwxyz"]


def test_a_truncated_pass_removes_nothing_and_is_given_up_in_time() -> None:
    passes = Passes()
    walk(passes, pages(TOOLS, 2)[:2], at=0)
    passes.sweep(MAX_PASS_MS + 1)
    assert len(passes) == 0
    assert passes.given_up == 2
    assert walk(passes, pages(TOOLS, 2)[2:], at=MAX_PASS_MS + 1) is None


def test_a_list_that_changes_in_the_midst_of_a_pass_is_not_mixed() -> None:
    passes = Passes()
    first, *rest = pages(TOOLS, 2)
    walk(passes, [first])
    passes.changed(SERVER, ["tools"])
    assert walk(passes, rest) is None


def test_another_lists_change_leaves_a_pass_alone() -> None:
    passes = Passes()
    first, *rest = pages(TOOLS, 2)
    walk(passes, [first])
    passes.changed(SERVER, ["prompts"])
    passes.changed("another", ["tools"])
    assert names(walk(passes, rest)) == [*"abcdef"]


def test_a_server_that_never_comes_to_an_end_is_given_up() -> None:
    passes = Passes()
    for number in range(MAX_PAGES + 10):
        cursor = f"c{number}" if number else None
        page = Page("tools", cursor, f"c{number + 1}", (tool("a"),))
        assert passes.add(SERVER, b"a", page, 0) is None
    assert passes.given_up > 0
    assert len(passes) <= MAX_PASSES


def test_a_cursor_that_leads_to_itself_is_given_up() -> None:
    passes = Passes()
    passes.add(SERVER, b"a", Page("tools", None, "c", (tool("a"),)), 0)
    for _ in range(MAX_PAGES + 10):
        assert passes.add(SERVER, b"a", Page("tools", "c", "c", (tool("b"),)), 0) is None
    assert len(passes) == 1
    assert passes.given_up > 0


def test_what_is_kept_of_all_passes_has_a_bound() -> None:
    passes = Passes()
    large = tool("a", "x" * 1_000_000)
    for number in range(200):
        passes.add(SERVER, f"{number}".encode(), Page("tools", None, "c", (large,)), 0)
    assert len(passes) * len(large) <= room.MAX_BYTES
    assert passes.given_up == 200 - len(passes)


def test_many_clients_that_never_finish_have_a_bound() -> None:
    passes = Passes()
    for number in range(10 * MAX_PASSES):
        passes.add(SERVER, f"{number}".encode(), Page("tools", None, "c", (tool("a"),)), 0)
    assert len(passes) == MAX_PASSES
    assert passes.given_up == 9 * MAX_PASSES


clients = st.lists(
    st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.integers(1, 3), st.integers(1, 6)),
    min_size=1,
    max_size=4,
    unique_by=lambda client: client[0],
)


@given(clients, st.randoms(use_true_random=False))
@examples(200)
def test_whatever_the_order_of_their_pages_each_client_sees_its_own_list(
    found: list[tuple[bytes, int, int]], random: object
) -> None:
    passes = Passes()
    walks = {
        caller: pages([tool(f"{caller.decode()}{n}") for n in range(count)], size)
        for caller, size, count in found
    }
    seen = {}
    while any(walks.values()):
        caller = random.choice([key for key, left in walks.items() if left])  # type: ignore[attr-defined]
        page = walks[caller].pop(0)
        for _ in range(random.choice([1, 1, 2])):  # type: ignore[attr-defined]
            snapshot = passes.add(SERVER, caller, page, 0)
            if snapshot is not None:
                seen[caller] = names(snapshot)
    assert seen == {
        caller: sorted(f"{caller.decode()}{n}" for n in range(count)) for caller, _, count in found
    }


anything = st.builds(
    Page,
    st.sampled_from(["tools", "prompts"]),
    st.none() | st.sampled_from("abc"),
    st.none() | st.sampled_from("abc"),
    st.lists(st.binary(max_size=10), max_size=3).map(tuple),
)


@given(
    st.lists(st.tuples(st.sampled_from([b"a", b"b"]), anything, st.integers(0, 10**6)), max_size=20)
)
@examples(200)
def test_no_sequence_of_pages_confuses_the_books(
    steps: list[tuple[bytes, Page, int]],
) -> None:
    passes = Passes()
    for caller, page, at in steps:
        snapshot = passes.add(SERVER, caller, page, at)
        assert snapshot is None or page.next_cursor is None
    passes.sweep(10**9)
    assert len(passes) == 0
    assert passes._size == 0
