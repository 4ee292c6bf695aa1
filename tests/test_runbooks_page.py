"""The page about runbooks has the tables of the code. `python tests/test_runbooks_page.py` writes them anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bot.runbooks.actions import ACTIONS
from bot.runbooks.checks import HEALTH
from bot.runbooks.describe import rights, takes
from bot.runbooks.lint import schema

PAGE = Path(__file__).parents[1] / "docs" / "runbooks.md"


def actions() -> Iterator[str]:
    """A row an action."""
    yield "| action | on | takes | rights | rehearsed | sent twice | taken back by |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for name, action in sorted(ACTIONS.items()):
        kinds = ", ".join(sorted(action.kinds))
        rehearsed = "by the server" if action.dry_run else "no: nothing is changed" if action.reads_only else "no"
        cells = [f"`{name}`", kinds, takes(action), rights(action), rehearsed, action.idempotency, action.inverse]
        yield f"| {' | '.join(cells)} |"


def checks() -> Iterator[str]:
    """A row a health check."""
    yield "| health check | it waits until |"
    yield "| --- | --- |"
    for name, check in sorted(HEALTH.items()):
        yield f"| `{name}` ({', '.join(sorted(check.kinds))}) | {check.waits_for} |"


def written(text: str) -> str:
    """The page with its tables filled in."""
    for mark, rows in (("actions", actions()), ("checks", checks())):
        body = "\n".join(rows)
        text = re.sub(
            rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)",
            lambda found, body=body: f"{found[1]}{body}\n{found[2]}",  # type: ignore[misc]  # mypy knows no default here
            text,
            flags=re.DOTALL,
        )
    return text


def test_the_tables_are_those_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert written(text) == text, "run: python tests/test_runbooks_page.py"


def test_every_part_of_the_format_is_told() -> None:
    text = PAGE.read_text(encoding="utf-8")
    plain = {"id", "version", "title", "description", "risk", "owner"}
    assert [key for key in schema()["properties"] if key not in plain and f"`{key}`" not in text] == []


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
