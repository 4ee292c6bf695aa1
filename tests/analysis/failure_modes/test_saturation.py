from bot.analysis.failure_modes.saturation import suspect
from tests.analysis.objects import event, events, incident, seen, workload


def test_throttling_is_told_with_the_limit():
    limited = workload(containers=[{"name": "app", "limits": {"cpu": "250m"}}])
    (found,) = suspect(seen(limited, about=incident(alertname="CPUThrottlingHigh")))
    assert "CPU limits: app 250m" in found.statement
    assert (found.category, found.confidence, found.evidence) == ("resource-exhaustion", "medium", ("E1",))


def test_throttling_without_a_limit_to_see_is_a_guess():
    (found,) = suspect(seen(workload(containers=[]), about=incident(alertname="CPUThrottlingHigh")))
    assert found.confidence == "low"


def test_an_autoscaler_at_its_maximum():
    (found,) = suspect(seen(workload(desired=12), about=incident(alertname="KubeHpaMaxedOut")))
    assert "at its maximum (12 replicas)" in found.statement


def test_an_autoscaler_without_metrics():
    told = event("FailedGetResourceMetric", "no metrics returned", kind="HorizontalPodAutoscaler", name="checkout")
    (found,) = suspect(seen(events(told)))
    assert "gets no metrics" in found.headline


def test_other_alerts_are_none():
    assert not list(suspect(seen(workload())))
