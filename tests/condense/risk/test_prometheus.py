import pytest

from bot.condense.risk import prometheus
from tests.condense.risk.telling import Change, ids, told

TOLD: dict[str, Change] = {
    "alert/scrape-removed": ("prometheus.yml", "x: 1\n- job_name: api", "x: 1"),
    "alert/rule-file-removed": ("prometheus.yml", "rule_files:\n- a.yml\n- slo.yml", "rule_files:\n- a.yml"),
    "alert/section-removed": ("prometheus.yml", "x: 1\nrule_files: [a.yml]", "x: 1"),
    "alert/notifier-removed": (
        "alertmanager.yml",
        "receivers:\n- name: a\n  pagerduty_configs:\n  - x: 1",
        "receivers:\n- name: a",
    ),
    "alert/receiver-removed": (
        "alertmanager.yml",
        "receivers:\n- name: pager\n- name: mail",
        "receivers:\n- name: mail",
    ),
    "alert/threshold-raised": ("rules/a.yaml", "expr: errors > 0.01", "expr: errors > 0.99"),
    "alert/threshold-lowered": ("rules/a.yaml", "expr: free < 0.2", "expr: free < 0.001"),
    "alert/removed": ("monitoring/rules/app.yaml", "x: 1\n  - alert: Down", "x: 1"),
    "alert/recording-removed": ("monitoring/rules/app.yaml", "x: 1\n  - record: a:b", "x: 1"),
    "alert/route-removed": ("alertmanager/alertmanager.yml", "x: 1\n  receiver: oncall", "x: 1"),
    "alert/absence-removed": ("monitoring/rules/app.yaml", "x: 1\n  expr: absent(up)", "x: 1"),
    "alert/slower": ("monitoring/rules/app.yaml", "  for: 5m", "  for: 1h"),
    "alert/faster": ("monitoring/rules/app.yaml", "  for: 1h", "  for: 5m"),
    "alert/retention-shorter": ("monitoring/rules/app.yaml", "  retention: 30d", "  retention: 2d"),
    "alert/quieter": ("monitoring/rules/app.yaml", "  severity: critical", "  severity: warning"),
    "alert/muted": ("monitoring/rules/app.yaml", "x: 1", "x: 1\n  receiver: 'null'"),
    "alert/expression": ("monitoring/rules/app.yaml", "x: 1", "x: 1\n  expr: x > 1"),
    "alert/timing": ("monitoring/rules/app.yaml", "x: 1", "x: 1\n  for: 5m"),
    "alert/threshold": ("monitoring/rules/app.yaml", "x: 1", "x: 1\n      sum(rate(x[5m])) > 0.1"),
}

QUIET: list[tuple[str, Change]] = [
    ("alert/removed", ("monitoring/rules/app.yaml", "  - alert: Down\nx: 1", "x: 1\n  - alert: Down")),
    ("alert/slower", ("monitoring/rules/app.yaml", "  for: 1h", "  for: 60m")),
    ("alert/quieter", ("monitoring/rules/app.yaml", "  severity: warning", "  severity: critical")),
]


@pytest.mark.parametrize(("rule", "change"), TOLD.items(), ids=TOLD)
def test_each_rule_tells_its_change(rule: str, change: Change) -> None:
    assert rule in told(*change)


def test_every_rule_has_an_example() -> None:
    assert sorted(TOLD) == sorted(ids(prometheus.RULES))


@pytest.mark.parametrize(("rule", "change"), QUIET)
def test_a_rule_is_quiet_where_there_is_nothing_to_tell(rule: str, change: Change) -> None:
    assert rule in ids(prometheus.RULES)
    assert rule not in told(*change)


@pytest.mark.parametrize(
    ("text", "value"), [("5m", 300), ("1h30m", 5400), ("500ms", 0.5), ("'2d'", 172800), ("x", None), ("5", None)]
)
def test_a_duration_is_read_as_prometheus_reads_it(text: str, value: float | None) -> None:
    assert prometheus.seconds(text) == value
