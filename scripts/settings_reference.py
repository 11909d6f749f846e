"""Writes what docs/reference holds of the settings' model anew, after a key or table was added."""

import sys
from pathlib import Path

from mcpr.settings import Settings
from mcpr.settings.reference import reference

PAGE = Path(__file__).resolve().parent.parent / "docs/reference/settings.md"
MARK = "<!-- From here on written by scripts/settings_reference.py. -->\n"


def page(text: str) -> str:
    """The page with its tables as they have to be."""
    return f"{text.partition(MARK)[0]}{MARK}\n{reference(Settings)}"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
