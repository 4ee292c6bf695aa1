import pytest

from bot.condense.risk import helm
from tests.condense.risk.telling import Change, ids, told

TOLD: dict[str, Change] = {
    "helm/network-policy-off": (
        "charts/app/values.yaml",
        "networkPolicy:\n  enabled: true",
        "networkPolicy:\n  enabled: false",
    ),
    "helm/guard-switched-off": (
        "charts/app/values.yaml",
        "livenessProbe:\n  enabled: true",
        "livenessProbe:\n  enabled: false",
    ),
    "helm/guard-switched-off-inline": ("charts/app/values.yaml", "pdb: {enabled: true}", "pdb: {enabled: false}"),
    "helm/never-rendered": ("charts/app/templates/np.yaml", "x: 1", "x: 1\n{{- if and .Values.np.enabled false }}"),
    "helm/guard-removed": ("charts/app/templates/x.yaml", 'x: 1\n{{- fail "no" }}', "x: 1"),
    "helm/keep-removed": ("charts/app/templates/x.yaml", "x: 1\nhelm.sh/resource-policy: keep", "x: 1"),
    "helm/hook": ("charts/app/templates/x.yaml", "x: 1", 'x: 1\n"helm.sh/hook": pre-install'),
    "helm/lookup": ("charts/app/templates/x.yaml", "x: 1", 'x: 1\nx: {{ lookup "v1" "Secret" "a" "b" }}'),
    "helm/switched-off": ("charts/app/values.yaml", "  enabled: true", "  enabled: false"),
    "helm/switch": ("charts/app/values.yaml", "x: 1", "x: 1\n  create: false"),
    "helm/dependency": ("charts/app/Chart.yaml", "version: 1.0.0", "version: 2.0.0"),
}

QUIET: list[tuple[str, Change]] = [
    (
        "helm/network-policy-off",
        ("charts/app/values.yaml", "networkPolicy:\n  enabled: false", "networkPolicy:\n  enabled: true"),
    ),
    ("helm/network-policy-off", ("charts/app/values.yaml", "x: 1", "x: 1\nnetworkPolicy:\n  enabled: false")),
    ("helm/guard-switched-off", ("charts/app/values.yaml", "metrics:\n  enabled: true", "metrics:\n  enabled: false")),
    ("helm/guard-switched-off-inline", ("charts/app/values.yaml", "pdb: {enabled: false}", "pdb: {enabled: true}")),
    *[
        ("helm/never-rendered", ("charts/app/templates/np.yaml", "x: 1", "x: 1\n{{- if " + condition + " }}"))
        for condition in (
            "and .Values.a (eq .Values.b false)",
            "and .Values.a .Values.b",
            "and .Values.a | default false",
            'and .Values.a (eq .Values.b "false")',
            "or .Values.a false",
        )
    ],
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


@pytest.mark.parametrize("guard", ["podDisruptionBudget", "readinessProbe", "autoscaling", "podSecurityContext"])
def test_each_guard_that_a_chart_switches_off_is_told(guard: str) -> None:
    assert "helm/guard-switched-off" in told(
        "charts/app/values.yaml", f"{guard}:\n  enabled: true", f"{guard}:\n  enabled: false"
    )
