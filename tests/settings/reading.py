"""Reading a text as the file `mcpr.toml`."""

from collections.abc import Mapping
from pathlib import Path

from mcpr.settings import Settings, SettingsError
from mcpr.settings.document import parse_document
from mcpr.settings.reading import Given, read

SERVER = 'mcp = "http://localhost:9000/mcp"\n'


def settings_of(
    text: str | bytes,
    *given: Given,
    folder: Path = Path(),
    variables: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of the text. Raises SettingsError."""
    content = text.encode() if isinstance(text, str) else text
    document = parse_document("mcpr.toml", content, folder)
    return read(Settings, document, given, variables or {})[0]


def mistakes_of(text: str | bytes, *given: Given, folder: Path = Path()) -> list[str]:
    """What is said of the text, mistake by mistake."""
    try:
        settings_of(text, *given, folder=folder)
    except SettingsError as error:
        return [str(mistake) for mistake in error.mistakes]
    return []
