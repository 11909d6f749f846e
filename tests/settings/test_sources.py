"""settings/sources: what variables and options give."""

from mcpr.settings.model import Settings
from mcpr.settings.sources import (
    from_environment,
    from_options,
    misspelt,
    settable,
    variable_of,
)


def given(**variables: str) -> dict[str, object]:
    return {str(each.place): each.value for each in from_environment(Settings, variables)}


def test_every_key_at_the_top_and_in_a_table_has_a_variable() -> None:
    names = {variable_of(path) for path in settable(Settings)}
    assert {"MCPR_MCP", "MCPR_PORT", "MCPR_LIMITS_EXCHANGES", "MCPR_STORE_PATH"} <= names
    assert not any("SERVER" in name for name in names)


def test_variables_that_are_empty_or_of_others_give_nothing() -> None:
    assert given(MCPR_PORT="", MCPR_SERVICE_HOST="10.0.0.1", HOME="/x") == {}


def test_what_kubernetes_tells_of_a_service_named_mcpr_is_no_port() -> None:
    assert given(MCPR_PORT="tcp://10.0.0.1:3000") == {}
    assert given(MCPR_PORT="17") == {"MCPR_PORT": "17"}


def test_options_that_are_not_given_give_nothing() -> None:
    options = {"--a": (("a",), None), "--b": (("b",), ()), "--c": (("c",), False)}
    assert [each.path for each in from_options(options)] == [("c",)]


def test_a_variable_that_is_nearly_one_of_ours_is_named_and_no_other() -> None:
    found = misspelt(
        Settings,
        dict.fromkeys(
            [
                *("MCPR_PROT", "MCPR_LIMIT_EXCHANGES", "MCPR_PORT", "MCPR_DB", "MCPR_CONFIG"),
                *("MCPR_SERVICE_HOST", "MCPR_SERVICE_PORT", "MCPR_PORT_3000_TCP", "HOME"),
                *("MCPR_PORT_3000_TCP_PROTO", "MCPR_PORT_3000_TCP_ADDR", "PORT"),
            ],
            "x",
        ),
    )
    assert list(found) == [
        ("MCPR_LIMIT_EXCHANGES", "MCPR_LIMITS_EXCHANGES"),
        ("MCPR_PROT", "MCPR_PORT"),
    ]
