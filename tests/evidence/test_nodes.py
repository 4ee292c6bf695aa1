from bot.evidence.nodes import facts, render, suspects, unscheduled
from bot.evidence.pods import facts as pod_facts
from tests.evidence.objects import HOUR, MINUTE, NOW, at, container_status, node, pod, running


def suspected(*pods):
    return suspects(pod_facts(pods, NOW)["pods"], NOW)


def test_pods_that_fare_well_or_crash_by_themselves_blame_no_node():
    crash = container_status(restarts=3, waiting={"reason": "CrashLoopBackOff"})
    assert suspected(pod("a"), pod("b", crash, node="node-2", template="newer")) == []


def test_a_node_where_only_there_the_same_template_is_not_ready():
    assert suspected(
        pod("a", node="node-1"),
        pod("b", running(ready=False), node="node-2"),
        pod("c", running(ready=False), node="node-2"),
    ) == ["node-2"]


def test_evicted_lost_and_stuck_pods_blame_their_node():
    evicted = pod("a", phase="Failed", node="node-1", status={"reason": "Evicted"})
    stuck = pod("b", container_status(waiting={"reason": "ContainerCreating"}), node="node-2", phase="Pending")
    lost = pod("c", node="node-3", deletionTimestamp=at(NOW - HOUR))
    assert set(suspected(evicted, stuck, lost)) == {"node-1", "node-2", "node-3"}


def test_a_pod_that_just_starts_or_ends_blames_nothing():
    starts = container_status(waiting={"reason": "ContainerCreating"})
    assert suspected(pod("a", starts, creationTimestamp=at(NOW - MINUTE)), pod("b", deletionTimestamp=at(NOW))) == []


def test_a_pending_pod_without_node_is_unscheduled():
    pending, runs = pod_facts([pod("a", phase="Pending", node=None), pod("b")], NOW)["pods"]
    assert unscheduled(pending)
    assert not unscheduled(runs)


def test_pressure_taints_and_missing_labels():
    taint = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}
    about = facts(
        [
            node("fine", labels={"disk": "hdd", "other": "x"}),
            node("pressed", taints=[taint], MemoryPressure="True", DiskPressure="False"),
            node("down", ready=False),
        ],
        [pod("a", spec={"nodeSelector": {"disk": "ssd"}})],
    )
    fine, pressed, down = about["nodes"]
    assert (fine["ready"], fine["conditions"], fine["labels"]) == (True, [], {"disk": "hdd"})
    assert [one["type"] for one in pressed["conditions"]] == ["MemoryPressure"]
    assert pressed["taints"] == [taint]
    assert not down["ready"]
    lines = render(about, NOW).splitlines()
    assert lines[0] == "3 nodes, 2 ready"
    assert lines[1] == "the pods ask for nodes with label disk=ssd: 0 of 3 have it"
    assert lines[2].startswith("node down: NOT READY; allocatable cpu=4, memory=16Gi, pods=110")
    assert "node pressed: ready; taint dedicated=gpu:NoSchedule" in lines[4]
    assert "condition MemoryPressure=True" in lines[5]


def test_a_hundred_nodes_stay_bounded():
    text = render(facts([node(f"node-{number}", MemoryPressure="True") for number in range(300)]), NOW)
    assert len(text) <= 6000
    assert text.endswith("and 90 more")
