"""docs/security.md is true: every invariant and known bypass has a row, and every test that a row names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text()
COUNTS = {"B": 6, "A": 9, "L": 12, "U": 4, "T": 4, "I": 5}
INVARIANTS = [f"{letter}{number}" for letter, count in COUNTS.items() for number in range(1, count + 1)]
BYPASSES = [str(number) for number in range(1, 21)]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def row(name: str) -> str:
    (found,) = [line for line in PAGE.splitlines() if line.startswith(f"| {name} |")]
    return found


@pytest.mark.parametrize("name", [*INVARIANTS, *BYPASSES])
def test_it_has_a_row_with_a_test_of_its_own_or_says_why_not(name: str) -> None:
    told = row(name).split("|")[-2]
    own = [path for path, function in NAMED.findall(told) if path.startswith("tests/invariants/") and function]
    assert own or "not applicable, because" in told


def test_every_test_that_is_named_is_there() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > len(INVARIANTS)
    for path, function in named:
        assert (ROOT / path).is_file(), path
        assert not function or f"def {function}(" in (ROOT / path).read_text(), f"{path}::{function}"
