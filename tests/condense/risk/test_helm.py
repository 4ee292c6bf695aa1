import pytest

from bot.condense.risk import helm
from tests.condense.risk.telling import Change, ids, told

TOLD: dict[str, Change] = {
    "helm/guard-removed": ("charts/app/templates/x.yaml", 'x: 1\n{{- fail "no" }}', "x: 1"),
    "helm/keep-removed": ("charts/app/templates/x.yaml", "x: 1\nhelm.sh/resource-policy: keep", "x: 1"),
    "helm/hook": ("charts/app/templates/x.yaml", "x: 1", 'x: 1\n"helm.sh/hook": pre-install'),
    "helm/lookup": ("charts/app/templates/x.yaml", "x: 1", 'x: 1\nx: {{ lookup "v1" "Secret" "a" "b" }}'),
    "helm/switched-off": ("charts/app/values.yaml", "  enabled: true", "  enabled: false"),
    "helm/switch": ("charts/app/values.yaml", "x: 1", "x: 1\n  create: false"),
    "helm/dependency": ("charts/app/Chart.yaml", "version: 1.0.0", "version: 2.0.0"),
}

QUIET: list[tuple[str, Change]] = [
    ("helm/switched-off", ("charts/app/values.yaml", "  enabled: false", "  enabled: true")),
    ("helm/hook", ("src/a.md", "x: 1", "x: 1\nhelm.sh/hook: x")),
]


@pytest.mark.parametrize(("rule", "change"), TOLD.items(), ids=TOLD)
def test_each_rule_tells_its_change(rule: str, change: Change) -> None:
    assert rule in told(*change)


def test_every_rule_has_an_example() -> None:
    assert sorted(TOLD) == sorted(ids(helm.RULES))


@pytest.mark.parametrize(("rule", "change"), QUIET)
def test_a_rule_is_quiet_where_there_is_nothing_to_tell(rule: str, change: Change) -> None:
    assert rule in ids(helm.RULES)
    assert rule not in told(*change)
