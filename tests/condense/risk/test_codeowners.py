import pytest

from bot.condense.risk import codeowners
from tests.condense.risk.telling import Change, ids, told

TOLD: dict[str, Change] = {
    "owners/removed": (".github/CODEOWNERS", "* @all\n/infra/ @sec", "* @all"),
    "owners/nobody": ("CODEOWNERS", "* @all", "* @all\n/infra/"),
}
QUIET: list[tuple[str, Change]] = [
    ("owners/removed", ("CODEOWNERS", "/infra/ @sec\n* @all", "* @all\n/infra/ @sec @ops")),
    ("owners/removed", ("CODEOWNERS", "# who owns what\n* @all", "* @all")),
    ("owners/nobody", ("CODEOWNERS", "* @all", "# all\n\n[Section]\n* @all")),
    ("owners/removed", ("docs/owners.md", "* @all", "")),
]


@pytest.mark.parametrize(("rule", "change"), TOLD.items(), ids=TOLD)
def test_each_rule_tells_its_change(rule: str, change: Change) -> None:
    assert rule in told(*change)


def test_every_rule_has_an_example() -> None:
    assert sorted(TOLD) == sorted(ids(codeowners.RULES))


@pytest.mark.parametrize(("rule", "change"), QUIET)
def test_a_rule_is_quiet_where_there_is_nothing_to_tell(rule: str, change: Change) -> None:
    assert rule in ids(codeowners.RULES)
    assert rule not in told(*change)


def test_a_deleted_list_is_told() -> None:
    assert "owners/removed" in told("CODEOWNERS", "* @sec", "")
