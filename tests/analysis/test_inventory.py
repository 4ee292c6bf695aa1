from bot.analysis.inventory import inventory
from tests.analysis.objects import event, events, item, log, pod, pods, rollout, seen, workload


def test_what_was_seen_exists():
    found = inventory(seen(workload(owners=[{"kind": "Rollout", "name": "checkout"}]), pods(pod("p1")), rollout()))
    assert found.has(["Deployment"], "shop", "checkout")
    assert found.has(["Pod"], "shop", "p1")
    assert found.has(["Rollout"], "shop", "checkout")
    assert found.revisions == {4, 5}


def test_a_merged_pull_request_is_there_and_a_push_is_none():
    changes = [{"name": "shop/deploy#7", "kind": "merge"}, {"name": "shop/deploy#8", "kind": "push"}]
    found = inventory(seen(item("E1", "changes", {"changes": changes})))
    assert found.objects == {("PullRequest", "shop/deploy", "7")}


def test_names_must_match_in_kind_namespace_and_letter():
    found = inventory(seen(workload()))
    assert not found.has(["Pod"], "shop", "checkout")
    assert not found.has(["Deployment"], "default", "checkout")
    assert not found.has(["Deployment"], "shop", "Checkout")


def test_labels_events_and_logs_are_no_sightings():
    told = events(event("Killing", "x", kind="Deployment", name="payroll"))
    found = inventory(seen(told, log("delete payroll")))
    assert found.objects == frozenset()
