"""settings/tables/cors: from the file to the rules of the proxy."""

from tests.settings.reading import SERVER, mistakes_of, settings_of

from mcpr.pipeline.cors import Cors


def test_without_origins_browsers_are_left_to_the_server() -> None:
    assert settings_of(SERVER).cors.rules() is None
    assert settings_of(f'{SERVER}[cors]\nmax_age = "1m"\n').cors.rules() is None


def test_every_key_becomes_a_rule() -> None:
    text = """[cors]
origins = ["https://App.example:443", "http://localhost:5173"]
credentials = true
max_age = "1m"
headers = ["X-Api-Key"]
expose = ["X-Request-Id"]
"""
    assert settings_of(SERVER + text).cors.rules() == Cors(
        origins=frozenset({b"https://app.example", b"http://localhost:5173"}),
        credentials=True,
        max_age_seconds=60,
        request_fields=frozenset({b"x-api-key"}),
        answer_fields=("X-Request-Id",),
    )


def test_what_would_open_more_than_was_meant_is_a_mistake() -> None:
    any_with_cookies = f'{SERVER}[cors]\norigins = ["*"]\ncredentials = true\n'
    (said,) = mistakes_of(any_with_cookies)
    assert "cookies" in said
    (said,) = mistakes_of(f'{SERVER}[cors]\norigins = ["*", "https://a.example"]\n')
    assert '"*" is any' in said
    (said,) = mistakes_of(f'{SERVER}[cors]\nexpose = ["X Y"]\n')
    assert "header field" in said
