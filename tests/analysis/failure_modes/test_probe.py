import pytest

from bot.analysis.failure_modes.probe import suspect
from tests.analysis.objects import container, crashing, event, events, pod, pods, rollout, seen, well, workload

REFUSED = 'probe failed: Get "http://10.1.2.3:8080/healthz": dial tcp 10.1.2.3:8080: connect: connection refused'
RUNNING = pod("checkout-new-1", container())


@pytest.mark.parametrize(
    ("kind", "effect"),
    [("Readiness", "gets no traffic"), ("Liveness", "kills and restarts"), ("Startup", "before it has")],
)
def test_the_probe_is_named_with_what_it_does_and_says(kind, effect):
    (found,) = suspect(seen(events(event("Unhealthy", f"{kind} {REFUSED}", count=12))))
    assert f"The {kind.lower()} probe of pod checkout-new-1 fails (12 times)" in found.statement
    assert effect in found.statement
    assert "connection refused" in found.statement


def test_in_a_crashing_container_it_is_a_symptom():
    told = events(event("Unhealthy", f"Readiness {REFUSED}"))
    (found,) = suspect(seen(pods(pod("checkout-new-1", crashing(1))), told))
    assert found.confidence == "medium"


def test_one_wedged_pod_among_healthy_ones_may_be_deleted():
    told = events(event("Unhealthy", f"Readiness {REFUSED}"))
    (found,) = suspect(seen(workload(), pods(RUNNING, well("checkout-new-2", "new")), told))
    assert [(r.runbook, dict(r.parameters)) for r in found.remedies] == [
        ("delete-pod", {"namespace": "shop", "pod": "checkout-new-1"})
    ]


def test_when_all_fail_and_nothing_changed_a_restart_may_help():
    told = events(event("Unhealthy", f"Readiness {REFUSED}"))
    (found,) = suspect(seen(workload(), pods(RUNNING), told))
    assert [r.runbook for r in found.remedies] == ["restart-deployment"]


def test_when_only_the_new_revision_fails_it_is_rolled_back_instead():
    told = events(event("Unhealthy", f"Readiness {REFUSED}"))
    (found,) = suspect(seen(workload(), pods(RUNNING, well()), rollout(), told))
    assert [r.runbook for r in found.remedies] == ["rollback-deployment"]


def test_a_liveness_probe_restarts_by_itself_so_nothing_is_proposed():
    (found,) = suspect(seen(workload(), pods(RUNNING), events(event("Unhealthy", f"Liveness {REFUSED}"))))
    assert found.remedies == ()
