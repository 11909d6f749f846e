"""Write docs/reference/errors anew: a page for each error code, from src/mcpr/cli/errors.toml."""

from pathlib import Path

from mcpr.cli.explain import catalogue, page

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference" / "errors"


def main() -> None:
    """Write what there is, remove what there is no more."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.md"):
        old.unlink()
    for code in catalogue():
        (FOLDER / f"{code}.md").write_text(page(code), encoding="utf-8")


if __name__ == "__main__":
    main()
