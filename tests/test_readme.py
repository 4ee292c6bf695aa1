"""The README is true: its generated parts are what the code says. `python tests/test_readme.py` writes them anew."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bot.settings import Configuration, table
from bot.structure import keys

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def tables() -> dict[str, str]:
    """The generated parts by the marks they stand between."""
    found = {"settings": ("variable", table()), "keys": ("key", keys())}
    return {
        mark: "\n".join(
            [f"| {first} | default | what it is |", "| --- | --- | --- |"]
            + [f"| {name} | {default} | {what} |" for name, default, what in rows]
        )
        for mark, (first, rows) in found.items()
    }


def written(text: str) -> str:
    """The README with its generated parts filled in."""
    for mark, said in tables().items():
        text = re.sub(
            rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)",
            lambda found, said=said: f"{found[1]}{said}\n{found[2]}",  # type: ignore[misc]  # mypy knows no default here
            text,
            flags=re.DOTALL,
        )
    return text


def test_the_tables_are_those_of_the_code() -> None:
    text = README.read_text(encoding="utf-8")
    assert written(text) == text, "run: python tests/test_readme.py"


def test_every_key_of_the_configuration_file_says_what_it_is() -> None:
    assert [key for key, _, what in keys() if not what] == []


def test_the_example_of_a_configuration_file_has_every_key_and_can_be_used() -> None:
    path = ROOT / "docs" / "signoff.yaml"
    Configuration.load({"SIGNOFF_CONFIG": str(path)}, serving=False)
    assert {key.strip("`") for key, _, _ in keys()} - set(ways(yaml.safe_load(path.read_text()))) == set()


def ways(value: Any, way: str = "") -> Iterator[str]:
    """Every key of a document, as the table writes it."""
    yield way
    if isinstance(value, list):
        for entry in value:
            yield from ways(entry, f"{way}[]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            for name in (key, "NAME"):
                yield from ways(inner, f"{way}.{name}" if way else name)


def test_every_linked_file_is_there() -> None:
    for document in [README, ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name} links to {target}, which is not there"


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
