from bot.chat.headline_facts import headline_facts
from tests.chat.samples import EVIDENCE, evidence


def sentences(*items: object) -> list[str]:
    return [f"{fact.sentence} [{fact.evidence}]" for fact in headline_facts(items)]  # type: ignore[arg-type]


def test_the_shops_evidence_in_three_sentences() -> None:
    assert sentences(*EVIDENCE) == [
        "2 of 3 pods ready [E1]",
        "1 pod in ImagePullBackOff [E2]",
        "revision 7 changed the image: registry.shop/checkout:4.17.3 → registry.shop/checkout:4.18.0 [E4]",
    ]


def pod(**container: object) -> dict[str, object]:
    return {"phase": "Running", "containers": [{"name": "c", "last_state": None, **container}]}


def test_pods_are_grouped_by_what_is_wrong_with_them() -> None:
    crashing = pod(state={"kind": "waiting", "reason": "CrashLoopBackOff"}, last_state={"reason": "OOMKilled"})
    fine = pod(state={"kind": "running"})
    starting = pod(state={"kind": "waiting", "reason": "ContainerCreating"})
    pending = {"phase": "Pending", "containers": []}
    item = evidence("E2", "pods", "Pods", pods=[crashing, crashing, fine, starting, pending])
    assert sentences(item) == ["2 pods in CrashLoopBackOff, last ended with OOMKilled [E2]", "1 pod in Pending [E2]"]


def test_nodes_that_are_not_ready_are_named() -> None:
    item = evidence("E6", "nodes", "Nodes", nodes=[{"name": "n1", "ready": False}, {"name": "n2", "ready": True}])
    assert sentences(item) == ["node n1 is not ready [E6]"]


def test_failed_collectors_and_odd_facts_say_nothing() -> None:
    assert sentences(evidence("E1", "workload", "x", error="403", ready=1, desired=3)) == []
    assert sentences(evidence("E1", "workload", "x"), evidence("E2", "pods", "x", pods="many")) == []
    assert sentences(evidence("E4", "rollout", "x", current=2, revisions=[{"revision": 1}, None])) == []


def test_a_change_is_told_where_it_names_the_workload() -> None:
    change = {"name": "shop/deploy#7", "verb": "merged", "seconds_before": 720, "match": 1.0, "why": "its path says so"}
    assert sentences(evidence("E7", "changes", "x", changes=[change])) == [
        "shop/deploy#7 was merged 12 min before the alert: its path says so [E7]"
    ]
    assert sentences(evidence("E7", "changes", "x", changes=[change | {"match": 0.3}])) == []
