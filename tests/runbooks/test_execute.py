"""Running a plan: drift, conflicts, lost answers, and never anything but the stored call."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.plan import Plan
from bot.runbooks.access import AccessFailed
from bot.runbooks.execute import ATTEMPTS, REQUEST_LIMIT_SECONDS, drift, fire, read_back
from bot.runbooks.seen import look
from bot.sandbox.kubernetes.faults import Fault
from bot.sandbox.kubernetes.resources import DEPLOYMENTS, PODS

GOOD = "registry.example/shop/checkout:4.17.3"
LATER = REQUEST_LIMIT_SECONDS


def an_image(name: str, tag: str) -> dict[str, Any]:
    container = {"name": name, "image": f"registry.example/shop/{name}:{tag}"}
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


async def test_a_rollback_runs_once_as_stored_and_leaves_exactly_the_old_template(broken: Any) -> None:
    plan = (await broken.planned("rollback-deployment", deployment="checkout")).plan
    assert await drift(plan, broken.prod) == ()
    effect = await fire(plan, 0, broken.prod)
    assert effect.outcome == "done"
    assert effect.as_rehearsed
    assert effect.sentence == "Deployment shop/checkout was changed exactly as the dry run showed."
    (sent,) = broken.writes()
    precondition, *stored = sent.body
    assert precondition["path"] == "/metadata/resourceVersion"
    assert stored == plan.calls[0]["body"]
    assert (sent.cluster, sent.identity, sent.method, sent.path) == (
        "prod",
        "runner",
        "PATCH",
        plan.calls[0]["path"],
    )
    assert broken.deployment("checkout")["spec"]["template"]["spec"]["containers"][0]["image"] == GOOD
    await broken.rolled_out("checkout")
    assert await read_back(plan, 0, broken.prod, waited_seconds=0) == "applied"


async def test_what_the_newer_release_added_is_gone_after_a_rollback(market: Any) -> None:
    """A merge would keep the container and the variable that the old template does not have."""
    market.change(
        "cart",
        {
            "spec": {
                "template": {
                    "metadata": {"annotations": {"team": "cart"}},
                    "spec": {
                        "containers": [
                            {"name": "cart", "env": [{"name": "NEW", "value": "1"}]},
                            {"name": "proxy", "image": "registry.example/shop/proxy:1.0.0"},
                        ]
                    },
                }
            }
        },
    )
    await market.rolled_out("cart")
    plan = (await market.planned("rollback-deployment", deployment="cart")).plan
    assert "Container proxy goes away (image registry.example/shop/proxy:1.0.0)." in plan.record["effect"]
    assert (await fire(plan, 0, market.prod)).outcome == "done"
    template = market.deployment("cart")["spec"]["template"]
    assert [container["name"] for container in template["spec"]["containers"]] == ["cart"]
    assert "NEW" not in json.dumps(template)
    assert "team" not in json.dumps(template)


async def test_a_restart_replaces_every_pod(market: Any) -> None:
    before = {pod["metadata"]["uid"] for pod in market.pods("cart")}
    plan = (await market.planned("restart-deployment", deployment="cart")).plan
    assert (await fire(plan, 0, market.prod)).outcome == "done"
    await market.rolled_out("cart")
    await market.until(lambda: not before & {pod["metadata"]["uid"] for pod in market.pods("cart")})


async def test_status_updates_and_scaling_are_no_drift(broken: Any) -> None:
    plan = (await broken.planned("rollback-deployment", deployment="checkout")).plan
    version = broken.deployment("checkout")["metadata"]["resourceVersion"]
    broken.change("checkout", {"spec": {"replicas": 4}})
    broken.sandbox.clusters["prod"].advance(30)
    assert broken.deployment("checkout")["metadata"]["resourceVersion"] != version
    assert await drift(plan, broken.prod) == ()
    assert (await fire(plan, 0, broken.prod)).outcome == "done"
    assert broken.deployment("checkout")["spec"]["replicas"] == 4


@pytest.mark.parametrize(
    ("change", "what", "said"),
    [
        (an_image("checkout", "4.18.1"), "fields", "was changed since the plan was made"),
        (
            {"metadata": {"annotations": {"kubernetes.io/change-cause": "somebody else"}}},
            "fields",
            "was changed since the plan was made",
        ),
        ({"spec": {"paused": True}}, "precondition", "The rollout of checkout is paused; resume it first"),
    ],
)
async def test_what_the_action_reads_or_writes_drifts(
    broken: Any, change: dict[str, Any], what: str, said: str
) -> None:
    plan = (await broken.planned("rollback-deployment", deployment="checkout")).plan
    broken.change("checkout", change)
    found = await drift(plan, broken.prod)
    assert found[0].what == what
    assert said in found[0].sentence
    effect = await fire(plan, 0, broken.prod)
    assert (effect.outcome, effect.drift) == ("failed", found)
    assert broken.writes() == []


async def test_a_pod_that_went_by_itself_needs_no_eviction(market: Any) -> None:
    plan = (await market.planned("drain-node", node="node-1")).plan
    name = plan.targets[plan.calls[1]["target"]]["name"]
    assert (await fire(plan, 0, market.prod)).outcome == "done"
    store = market.sandbox.clusters["prod"].store
    store.remove(PODS, store.get(PODS, "shop", name))
    effect = await fire(plan, 1, market.prod)
    assert (effect.outcome, effect.sentence) == ("done", f"Pod shop/{name} was gone already.")


async def test_an_object_of_the_same_name_is_not_the_object(market: Any) -> None:
    plan = (await market.planned("restart-deployment", deployment="cart")).plan
    store, cart = market.sandbox.clusters["prod"].store, market.deployment("cart")
    store.remove(DEPLOYMENTS, cart)
    assert [each.what for each in await drift(plan, market.prod)] == ["gone"]
    keep = {key: cart["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
    market.sandbox.clusters["prod"].apply(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": keep, "spec": cart["spec"]}
    )
    assert [each.what for each in await drift(plan, market.prod)] == ["uid"]
    assert (await fire(plan, 0, market.prod)).outcome == "failed"
    assert market.writes() == []


async def test_a_plan_for_one_cluster_never_touches_the_other(market: Any) -> None:
    plan = (await market.planned("restart-deployment", deployment="cart")).plan
    assert [each.what for each in await drift(plan, market.staging)] == ["cluster"]
    effect = await fire(plan, 0, market.staging)
    assert effect.outcome == "failed"
    assert effect.sentence == (
        "Nothing was sent: Deployment shop/cart is in cluster prod, and this connection is to staging."
    )
    assert await read_back(plan, 0, market.staging, waited_seconds=LATER) == "cannot tell"
    assert market.writes() == []
    assert not [call for call in market.sandbox.calls if call.cluster == "staging"]


async def test_a_conflict_is_tried_again_with_the_newest_version(market: Any) -> None:
    plan = (await market.planned("restart-deployment", deployment="cart")).plan
    market.sandbox.order(Fault("conflict", verb="patch", dry_run=False, times=2))
    assert (await fire(plan, 0, market.prod)).outcome == "done"
    assert len(market.writes()) == 1


async def test_conflicts_without_end_give_up_and_nothing_is_changed(market: Any) -> None:
    plan = (await market.planned("restart-deployment", deployment="cart")).plan
    market.sandbox.order(Fault("conflict", verb="patch", dry_run=False, times=100))
    effect = await fire(plan, 0, market.prod)
    assert effect.outcome == "failed"
    assert f"kept changing under {ATTEMPTS} attempts" in effect.sentence
    assert market.writes() == []


async def test_a_lost_answer_after_the_effect_is_in_doubt_and_read_back_as_applied(broken: Any) -> None:
    plan = (await broken.planned("rollback-deployment", deployment="checkout")).plan
    broken.sandbox.order(Fault("drop", verb="patch", when="after", dry_run=False))
    effect = await fire(plan, 0, broken.prod)
    assert effect.outcome == "in_doubt"
    assert effect.sentence.startswith("Whether Deployment shop/checkout was changed is not known.")
    assert len(broken.writes()) == 1
    assert await read_back(plan, 0, broken.prod, waited_seconds=0) == "applied"


async def test_a_request_lost_before_the_effect_is_in_doubt_until_it_can_no_longer_arrive(broken: Any) -> None:
    plan = (await broken.planned("rollback-deployment", deployment="checkout")).plan
    broken.sandbox.order(Fault("drop", verb="patch", when="before", dry_run=False))
    assert (await fire(plan, 0, broken.prod)).outcome == "in_doubt"
    assert broken.writes() == []
    assert await read_back(plan, 0, broken.prod, waited_seconds=LATER - 1) == "cannot tell"
    assert await read_back(plan, 0, broken.prod, waited_seconds=LATER) == "not applied"


async def test_somebody_elses_change_makes_the_outcome_unknowable(broken: Any) -> None:
    plan = (await broken.planned("rollback-deployment", deployment="checkout")).plan
    broken.change("checkout", an_image("checkout", "4.18.1"))
    assert await read_back(plan, 0, broken.prod, waited_seconds=LATER) == "cannot tell"
    assert "[checkout].image: registry.example/shop/checkout:4.18.1" in await look(plan, 0, broken.prod, dict)
    # Back to the old text: our change and its reversal would look the same, but for the generation.
    broken.change("checkout", an_image("checkout", "4.18.0"))
    assert await drift(plan, broken.prod) == ()
    assert await read_back(plan, 0, broken.prod, waited_seconds=LATER) == "cannot tell"


async def test_a_server_error_after_the_request_is_in_doubt_a_refusal_is_not(market: Any) -> None:
    plan = (await market.planned("restart-deployment", deployment="cart")).plan
    market.sandbox.order(Fault("status", verb="patch", code=504, dry_run=False))
    assert (await fire(plan, 0, market.prod)).outcome == "in_doubt"
    market.sandbox.order(Fault("status", verb="patch", code=422, dry_run=False))
    refused = await fire(plan, 0, market.prod)
    assert refused.outcome == "failed"
    assert refused.sentence.startswith("Nothing was changed: Cluster prod refused to patch deployments.apps shop/cart")


async def test_a_slow_write_is_in_doubt_a_slow_read_is_not(market: Any) -> None:
    plan = (await market.planned("restart-deployment", deployment="cart")).plan
    calls = [{**plan.calls[0], "timeout_seconds": 0.3}]
    hasty = Plan.of({**plan.record, "calls": calls})
    market.sandbox.order(Fault("delay", verb="patch", seconds=1.0, when="after", dry_run=False))
    slow_write = await fire(hasty, 0, market.prod)
    assert slow_write.outcome == "in_doubt"
    assert "did not answer within 0.3 s" in slow_write.sentence
    await market.until(lambda: len(market.writes()) == 1)
    second = (await market.planned("restart-deployment", deployment="frontend")).plan
    hasty = Plan.of({**second.record, "calls": [{**second.calls[0], "timeout_seconds": 0.3}]})
    market.sandbox.order(Fault("delay", verb="get", seconds=1.0))
    slow_read = await fire(hasty, 0, market.prod)
    assert slow_read.outcome == "failed"
    assert slow_read.sentence.startswith("Nothing was sent:")


async def test_a_cluster_out_of_reach_fails_and_cannot_be_read_back(market: Any) -> None:
    plan = (await market.planned("restart-deployment", deployment="cart")).plan
    await market.sandbox.stop()
    effect = await fire(plan, 0, market.prod)
    assert effect.outcome == "failed"
    assert "cannot be reached" in effect.sentence
    assert await read_back(plan, 0, market.prod, waited_seconds=LATER) == "cannot tell"
    with pytest.raises(AccessFailed):
        await drift(plan, market.prod)


async def test_a_plan_whose_bytes_are_not_what_was_signed_sends_nothing(market: Any) -> None:
    plan = (await market.planned("restart-deployment", deployment="cart")).plan
    other = plan.canonical.replace(b"deployments/cart", b"deployments/chat")
    effect = await fire(replace(plan, canonical=other), 0, market.prod)
    assert effect.outcome == "failed"
    assert "not the one that was signed off" in effect.sentence
    # What was parsed may be tampered with too: the bytes count.
    record = json.loads(plan.canonical)
    record["calls"][0]["path"] = record["calls"][0]["path"].replace("cart", "frontend")
    assert (await fire(replace(plan, record=record), 0, market.prod)).outcome == "done"
    assert [call.path for call in market.writes()] == [plan.calls[0]["path"]]


class TestDeletePod:
    async def test_it_is_deleted_and_replaced(self, market: Any) -> None:
        pod = market.pods("cart")[0]["metadata"]
        plan = (await market.planned("delete-pod", pod=pod["name"])).plan
        assert await read_back(plan, 0, market.prod, waited_seconds=LATER) == "not applied"
        effect = await fire(plan, 0, market.prod)
        assert (effect.outcome, effect.as_rehearsed) == ("done", True)
        (sent,) = market.writes()
        assert sent.body["preconditions"].keys() == {"uid", "resourceVersion"}
        assert sent.body["preconditions"]["uid"] == pod["uid"]
        assert await read_back(plan, 0, market.prod, waited_seconds=0) == "applied"
        market.sandbox.clusters["prod"].advance(60)
        assert await read_back(plan, 0, market.prod, waited_seconds=0) == "applied"
        assert len(market.pods("cart")) == 3

    async def test_a_namesake_is_left_alone(self, market: Any) -> None:
        """A StatefulSet gives a new pod the old name: only the uid tells them apart."""
        pod = market.pods("cart")[0]
        plan = (await market.planned("delete-pod", pod=pod["metadata"]["name"])).plan
        store = market.sandbox.clusters["prod"].store
        store.remove(PODS, pod)
        kept = {key: pod["metadata"][key] for key in ("name", "namespace", "labels", "ownerReferences")}
        market.sandbox.clusters["prod"].apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": kept, "spec": pod["spec"]}
        )
        effect = await fire(plan, 0, market.prod)
        assert effect.outcome == "failed"
        assert [each.what for each in effect.drift] == ["uid"]
        assert market.writes() == []

    async def test_the_server_checks_the_uid_too(self, market: Any) -> None:
        pods = market.pods("cart")
        plan = (await market.planned("delete-pod", pod=pods[0]["metadata"]["name"])).plan
        body = plan.calls[0]["body"] | {"preconditions": {"uid": pods[1]["metadata"]["uid"]}}
        wrong = Plan.of({**plan.record, "calls": [{**plan.calls[0], "body": body}]})
        assert (await fire(wrong, 0, market.prod)).outcome == "failed"
        assert market.writes() == []

    async def test_a_pod_that_somebody_deletes_already_has_drifted(self, market: Any) -> None:
        pod = market.pods("cart")[0]["metadata"]["name"]
        first = (await market.planned("delete-pod", pod=pod)).plan
        assert (await fire(first, 0, market.prod)).outcome == "done"
        assert [each.what for each in await drift(first, market.prod)] == ["fields"]


async def test_a_budget_that_forbids_an_eviction_is_named(market: Any) -> None:
    pod = market.pods("cart")[0]["metadata"]["name"]
    plan = (await market.planned("evict-pod", pod=pod)).plan
    hasty = Plan.of({**plan.record, "calls": [{**plan.calls[0], "timeout_seconds": 1.0}]})
    spec = {"minAvailable": 3, "selector": {"matchLabels": {"app": "cart"}}}
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b", "namespace": "shop"}}
    market.sandbox.clusters["prod"].apply({**budget, "spec": spec})
    refused = await fire(hasty, 0, market.prod)
    assert refused.outcome == "failed"
    assert "could not be moved within 1 s. Cluster prod refused to create" in refused.sentence
    assert "The disruption budget b needs 3 healthy pods and has 3 currently" in refused.sentence
