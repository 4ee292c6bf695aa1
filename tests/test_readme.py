"""The README is true: its generated parts are what the code says. `python tests/test_readme.py` writes them anew."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from bot.settings import table

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def settings_table() -> str:
    rows = [f"| {name} | {default} | {what} |" for name, default, what in table()]
    return "\n".join(["| variable | default | what it is |", "| --- | --- | --- |", *rows])


def written(text: str) -> str:
    """The README with its generated parts filled in."""
    return re.sub(
        r"(<!-- settings -->\n).*?(<!-- /settings -->)",
        lambda found: f"{found[1]}{settings_table()}\n{found[2]}",
        text,
        flags=re.DOTALL,
    )


def test_the_table_of_settings_is_the_one_of_the_code() -> None:
    text = README.read_text(encoding="utf-8")
    assert written(text) == text, "run: python tests/test_readme.py"


def test_every_linked_file_is_there() -> None:
    for document in [README, ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name} links to {target}, which is not there"


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
