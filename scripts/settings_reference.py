"""Writes what docs/reference holds of the settings' model anew, after a key or table was added."""

import sys
from pathlib import Path

from mcpr.settings import Settings, json_schema
from mcpr.settings.reference import reference

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/reference/settings.md"
#: One for people, one in the wheel.
SCHEMAS = (ROOT / "docs/reference/mcpr.schema.json", ROOT / "src/mcpr/settings/mcpr.schema.json")
MARK = "<!-- From here on written by scripts/settings_reference.py. -->\n"


def page(text: str) -> str:
    """The page with its tables as they have to be."""
    return f"{text.partition(MARK)[0]}{MARK}\n{reference(Settings)}"


def main() -> int:
    """Write the page and the schema."""
    PAGE.write_text(page(PAGE.read_text()))
    for path in SCHEMAS:
        path.write_text(json_schema.text(Settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
