"""Which words tools are counted under: the rule, and its bounds."""

from mcpr.events.known_names import MAX_TOOLS, MAX_UNLISTED, KnownNames


def test_a_tool_that_its_server_listed_is_counted_under_its_name() -> None:
    names = KnownNames()
    names.learn("weather", ["get", "put"])
    assert names.has_list("weather")
    assert names.tool("weather", "get") == "get"


def test_a_tool_that_the_server_did_not_list_is_counted_with_the_others() -> None:
    names = KnownNames()
    names.learn("weather", ["get"])
    assert names.tool("weather", "gett") == "_other"


def test_one_server_says_nothing_of_another() -> None:
    names = KnownNames()
    names.learn("weather", ["get"])
    assert names.tool("notes", "write") == "write"
    assert not names.has_list("notes")


def test_without_a_list_a_name_that_looks_like_one_is_counted_under_itself() -> None:
    names = KnownNames()
    assert names.tool("weather", "get") == "get"
    assert names.tool("weather", "get the weather, please") == "_other"
    assert names.tool("weather", None) is None
    assert names.tool("weather", "_other") == "_other"


def test_without_a_list_callers_choose_only_so_many_names() -> None:
    names = KnownNames()
    words = {names.tool("weather", f"tool_{number}") for number in range(10 * MAX_UNLISTED)}
    assert len(words) == MAX_UNLISTED + 1
    assert names.tool("weather", "tool_0") == "tool_0"


def test_the_generation_grows_with_what_is_learned_and_only_then() -> None:
    names = KnownNames()
    names.learn("weather", [])
    assert names.generation == 1
    names.learn("weather", ["get"])
    names.learn("weather", ["get"])
    assert names.generation == 2


def test_names_of_earlier_lists_stay_known() -> None:
    names = KnownNames()
    names.learn("weather", ["old"])
    names.learn("weather", ["new"])
    assert names.tool("weather", "old") == "old"


def test_a_list_teaches_a_bounded_number_of_names_that_look_like_names() -> None:
    names = KnownNames()
    names.learn("weather", ["what?", *(f"tool_{number}" for number in range(MAX_TOOLS + 5))])
    assert names.tool("weather", "what?") == "_other"
    assert names.tool("weather", f"tool_{MAX_TOOLS - 1}") == f"tool_{MAX_TOOLS - 1}"
    assert names.tool("weather", f"tool_{MAX_TOOLS + 4}") == "_other"
