"""Which rules tell something of a change, from a file's lines before and after."""

from bot.condense.risk.assess import assess
from bot.condense.risk.rule import Rule
from tests.condense.diff.diffs import file

Change = tuple[str, str, str]
"""A path, and the file before and after."""


def told(path: str, old: str, new: str) -> set[str]:
    return {risk.rule for risk in assess(file(path, old.splitlines(), new.splitlines()))}


def ids(rules: tuple[Rule, ...]) -> list[str]:
    return [rule.id for rule in rules]
