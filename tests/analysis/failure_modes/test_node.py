from bot.analysis.failure_modes.node import suspect
from tests.analysis.objects import container, event, events, node, nodes, pod, pods, seen, workload


def test_a_node_under_pressure_with_our_pods_on_it():
    tight = node("node-1", ("MemoryPressure", "True", "kubelet has insufficient memory available"))
    (found,) = suspect(seen(workload(), pods(pod("p1", container(restarts=1))), nodes(tight)))
    assert "Node node-1 is short of memory (MemoryPressure)" in found.statement
    assert (found.confidence, found.evidence) == ("high", ("E6", "E2"))


def test_a_dead_node_may_be_left_by_deleting_the_one_pod_on_it():
    dead = node("node-1", ("Ready", "Unknown", "Kubelet stopped posting node status."), ready=False)
    (found,) = suspect(seen(workload(), pods(pod("p1", container(restarts=1))), nodes(dead)))
    assert "is not ready" in found.headline
    assert [r.runbook for r in found.remedies] == ["delete-pod"]


def test_an_evicted_pod_says_why():
    gone = pod("p1", phase="Failed", reason="Evicted", message="The node was low on resource: ephemeral-storage.")
    (found,) = suspect(seen(pods(gone)))
    assert "low on resource: ephemeral-storage" in found.statement
    assert found.category == "node"


def test_an_eviction_event_is_a_hint():
    (found,) = suspect(seen(events(event("TaintManagerEviction", "Marking for deletion Pod shop/p1"))))
    assert found.confidence == "medium"


def test_healthy_nodes_are_no_suspicion():
    assert not list(suspect(seen(nodes(node("node-1", ("MemoryPressure", "False", ""))))))
