import pytest

from bot.analysis.failure_modes.scheduling import suspect
from tests.analysis.objects import event, events, pod, pods, seen, workload

PREEMPTION = " preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("3 Insufficient cpu.", "too little cpu is free"),
        ("3 Insufficient nvidia.com/gpu.", "too little GPU (nvidia.com/gpu) is free"),
        ("3 node(s) didn't match Pod's node affinity/selector.", "node selector"),
        ("3 node(s) had untolerated taint {dedicated: gpu}.", "does not tolerate (dedicated: gpu)"),
        ("3 node(s) didn't match pod anti-affinity rules.", "anti-affinity"),
        ("3 node(s) didn't match pod topology spread constraints.", "topology spread"),
        ("3 node(s) were unschedulable.", "cordoned"),
        ("3 Too many pods.", "as many pods as they may"),
    ],
)
def test_the_schedulers_reason_is_put_into_words_and_quoted(reason, why):
    told = event("FailedScheduling", f"0/3 nodes are available: {reason}{PREEMPTION}")
    (found,) = suspect(seen(events(told)))
    assert why in found.headline
    assert f"“0/3 nodes are available: {reason}”" in found.statement
    assert (found.category, found.confidence) == ("scheduling", "high")


def test_several_reasons_are_one_suspicion():
    told = "0/3 nodes are available: 1 Insufficient memory, 2 node(s) had untolerated taint {a: b}."
    (found,) = suspect(seen(events(event("FailedScheduling", told))))
    assert "too little memory is free; nodes have a taint" in found.headline


def test_what_the_pod_asks_for_is_said_where_there_is_too_little():
    asks = workload(containers=[{"name": "app", "requests": {"cpu": "64"}, "limits": {}}])
    told = event("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.")
    (found,) = suspect(seen(asks, events(told)))
    assert "It asks for app: cpu 64." in found.statement
    assert "E1" in found.evidence


def test_the_pods_own_condition_is_enough():
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    pending = pod("p1", phase="Pending", conditions=[condition | {"message": "0/2 nodes: 2 Insufficient cpu"}])
    (found,) = suspect(seen(pods(pending)))
    assert found.evidence == ("E2",)
    assert "Pod p1 is Pending" in found.statement


def test_a_claim_is_the_business_of_storage():
    told = "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims."
    assert not list(suspect(seen(events(event("FailedScheduling", told)))))
