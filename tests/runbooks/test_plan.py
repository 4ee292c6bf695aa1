"""Planning in the shop: what the record says, that nothing changes, and each way to be refused."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.domain.approval import Member, Person
from bot.domain.canonical import digest
from bot.domain.plan import Plan
from bot.redact import Redactor
from bot.runbooks import rbac
from bot.runbooks.catalogue import load
from bot.runbooks.plan import Planned, Refusal, make
from bot.runbooks.resources import DEPLOYMENT, POD, REPLICA_SET, Verb
from bot.sandbox.kubernetes.faults import Fault
from bot.sandbox.kubernetes.resources import REPLICA_SETS

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

OpenShop = Callable[..., Awaitable[Any]]

ROLLBACK_DIFF = """\
Deployment shop/checkout
@@ metadata.annotations
    deployment.kubernetes.io/revision: "4"
-   kubernetes.io/change-cause: release 4.18.0
+   kubernetes.io/change-cause: release 4.17.3
  labels:
@@ spec.template.metadata.labels
      app: checkout
-     app.kubernetes.io/version: "4.18.0"
+     app.kubernetes.io/version: "4.17.3"
  spec:
@@ spec.template.spec.containers[checkout]
          key: password
- image: registry.example/shop/checkout:4.18.0
+ image: registry.example/shop/checkout:4.17.3
  imagePullPolicy: IfNotPresent
"""


async def test_a_rollback_is_planned_to_the_last_byte(broken: Any) -> None:
    made = await broken.planned("rollback-deployment", deployment="checkout")
    record = made.plan.record
    assert made.full_diffs == (ROLLBACK_DIFF,)
    assert record["dry_run"][0] == {
        "call": 0,
        "diff": ROLLBACK_DIFF,
        "sha256": digest(ROLLBACK_DIFF.encode()),
        "complete": True,
        "lines": 16,
        "added": 3,
        "removed": 3,
    }
    assert record["effect"] == [
        "Deployment shop/checkout returns from revision 4 to the pod template of revision 3.",
        "Container checkout: image registry.example/shop/checkout:4.18.0 → registry.example/shop/checkout:4.17.3.",
        "1 pod of checkout will be started, 2 pods removed; 2 already run revision 3.",
        "Pods are replaced step by step: at most 1 unavailable and 1 extra at a time.",
    ]
    assert record["undo"][0] == "Roll Deployment shop/checkout back to revision 4."
    assert record["parameters"] == {"deployment": "checkout", "namespace": "shop", "revision": 0}
    assert record["verification"]["before"] == {"ready": 2, "desired": 3}
    assert record["needs"] == [
        {
            "group": "approvers",
            "count": 1,
            "members": [
                {"team_id": "T0SHOP", "user_id": "U0LEE", "name": "Lee"},
                {"team_id": "T0SHOP", "user_id": "U0PRIYA", "name": "Priya"},
            ],
        }
    ]
    (target,) = made.plan.targets
    assert target["uid"] == broken.deployment("checkout")["metadata"]["uid"]
    assert target["preconditions"] == [
        {
            "check": "rollout-not-paused",
            "with": {},
            "observed": False,
            "sentence": "The rollout of checkout is not paused.",
        }
    ]
    (call,) = made.plan.calls
    assert (call["method"], call["path"]) == ("PATCH", "/apis/apps/v1/namespaces/shop/deployments/checkout")
    assert [(each["op"], each["path"]) for each in call["body"]] == [
        ("replace", "/spec/template"),
        ("add", "/metadata/annotations/kubernetes.io~1change-cause"),
    ]
    assert "pod-template-hash" not in call["body"][0]["value"]["metadata"]["labels"]
    assert record["expires_at"] - record["created_at"] == 3600 * 1_000_000
    assert Plan.stored(made.plan.canonical, made.plan.digest).record == record


async def test_planning_changes_nothing(broken: Any) -> None:
    before = copy.deepcopy(broken.deployment("checkout"))
    pod = broken.pods("cart")[0]["metadata"]["name"]
    for runbook, given in (
        ("rollback-deployment", {"deployment": "checkout"}),
        ("restart-deployment", {"deployment": "checkout"}),
        ("delete-pod", {"pod": pod}),
    ):
        await broken.planned(runbook, **given)
    assert broken.writes() == []
    after = broken.deployment("checkout")
    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert "deletionTimestamp" not in broken.pods("cart")[0]["metadata"]


async def test_the_same_world_and_time_give_the_same_digest(broken: Any) -> None:
    first = await broken.planned("rollback-deployment", deployment="checkout")
    second = await broken.planned("rollback-deployment", deployment="checkout")
    assert first.plan.canonical == second.plan.canonical


async def test_equal_names_in_two_clusters_are_two_plans(broken: Any) -> None:
    prod = await broken.planned("restart-deployment", deployment="cart")
    staging = await broken.planned("restart-deployment", broken.staging, deployment="cart")
    assert (prod.plan.record["cluster"], staging.plan.record["cluster"]) == ("prod", "staging")
    assert prod.plan.targets[0]["uid"] != staging.plan.targets[0]["uid"]
    assert prod.plan.record["effect"][0] == "3 pods of cart will be replaced by new ones of the same release."
    assert staging.plan.record["effect"][0] == "1 pod of cart will be replaced by new ones of the same release."
    context = replace(broken.context, cluster="staging")
    runbook = broken.catalogue.runbooks["restart-deployment"]
    given = {"namespace": "shop", "deployment": "cart"}
    refused = await make(runbook, given, access=broken.prod, context=context, redact=lambda data: data)
    assert isinstance(refused, Refusal)
    assert refused.code == "cluster"


async def test_the_time_of_a_restart_is_fixed_at_planning(market: Any) -> None:
    made = await market.planned("restart-deployment", deployment="cart")
    body = made.plan.calls[0]["body"]
    assert body["spec"]["template"]["metadata"]["annotations"] == {
        "kubectl.kubernetes.io/restartedAt": "2026-11-18T11:06:40Z"
    }


@pytest.mark.parametrize(
    "changed",
    ["requester", "on_behalf_of", "needs", "quorum", "break_glass", "ttl", "evidence", "policy", "catalogue", "now"],
)
async def test_whatever_is_bound_changes_the_digest(market: Any, changed: str) -> None:
    first = await market.planned("restart-deployment", deployment="cart")
    person = Person("T0SHOP", "U0DANA")
    market.context = {
        "requester": replace(market.context, requester=person),
        "on_behalf_of": replace(market.context, on_behalf_of=Member(person, "Dana")),
        "needs": replace(market.context, needs=()),
        "quorum": replace(market.context, quorum=2),
        "break_glass": replace(market.context, break_glass=(Member(Person("T0SHOP", "U0DANA"), "Dana"),)),
        "ttl": replace(market.context, ttl_seconds=60),
        "evidence": replace(market.context, evidence=()),
        "policy": replace(market.context, policy_digest=lambda record: "1" * 64),
        "catalogue": replace(market.context, catalogue_digest="1" * 64),
        "now": replace(market.context, now=market.context.now + 1_000_000),
    }[changed]
    second = await market.planned("restart-deployment", deployment="cart")
    assert first.plan.digest != second.plan.digest


async def test_the_stricter_of_runbook_and_configuration_counts(market: Any) -> None:
    market.context = replace(market.context, quorum=2, ttl_seconds=999_999)
    record = (await market.planned("restart-deployment", deployment="cart")).plan.record
    assert record["quorum"] == 2
    assert record["expires_at"] - record["created_at"] == 3600 * 1_000_000


class TestRefusals:
    """Each says why, and what to do."""

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({}, "deployment is missing: Name of the Deployment."),
            ({"deployment": "../../secrets"}, "does not match"),
            ({"deployment": "checkout\n"}, "does not match"),
            ({"deployment": "checkout", "force": True}, "is not known here; accepted are deployment, namespace"),
            ({"deployment": "checkout", "revision": -1}, "is too small; at least 0 is accepted"),
            ({"deployment": "checkout", "revision": "3"}, "must be a whole number"),
            ({"deployment": ["checkout"]}, "must be text, not a list"),
        ],
    )
    async def test_parameters(self, market: Any, given: dict[str, Any], said: str) -> None:
        refused = await market.plan("rollback-deployment", **given)
        assert isinstance(refused, Refusal)
        assert refused.code == "parameters"
        assert said in refused.sentence
        assert not market.sandbox.calls

    async def test_no_such_object(self, market: Any) -> None:
        refused = await market.plan("restart-deployment", deployment="payments")
        assert refused == Refusal("not-found", "There is no Deployment shop/payments in cluster prod. Check the name.")

    async def test_a_paused_rollout(self, market: Any) -> None:
        market.change("cart", {"spec": {"paused": True}})
        for runbook in ("restart-deployment", "rollback-deployment"):
            refused = await market.plan(runbook, deployment="cart")
            assert refused == Refusal(
                "precondition", "The rollout of cart is paused; resume it first (kubectl rollout resume)."
            )

    async def test_no_earlier_revision(self, market: Any) -> None:
        refused = await market.plan("rollback-deployment", deployment="cart")
        assert isinstance(refused, Refusal)
        assert refused.code == "no-earlier-revision"

    async def test_a_revision_that_is_current_or_unknown(self, market: Any) -> None:
        current = await market.plan("rollback-deployment", deployment="checkout", revision=3)
        assert isinstance(current, Refusal)
        assert current.code == "same-template"
        unknown = await market.plan("rollback-deployment", deployment="checkout", revision=9)
        assert unknown == Refusal(
            "unknown-revision",
            "Deployment shop/checkout keeps no revision 9. Revisions it could return to: 2, 1.",
        )

    async def test_a_bare_pod(self, market: Any) -> None:
        container = {"name": "tool", "image": "registry.example/shop/cart:1.31.0"}
        market.sandbox.clusters["prod"].apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "tool", "namespace": "shop"},
                "spec": {"containers": [container]},
            }
        )
        refused = await market.plan("delete-pod", pod="tool")
        assert refused == Refusal("precondition", "Nothing controls tool, so it would not be replaced.")

    async def test_nobody_there(self, market: Any) -> None:
        await market.sandbox.stop()
        refused = await market.plan("restart-deployment", deployment="cart")
        assert isinstance(refused, Refusal)
        assert refused.code == "unreachable"
        assert refused.sentence.startswith("Cluster prod cannot be reached:")

    async def test_an_object_that_never_holds_still(self, market: Any) -> None:
        market.sandbox.order(Fault("conflict", verb="patch", times=50))
        refused = await market.plan("restart-deployment", deployment="cart")
        assert isinstance(refused, Refusal)
        assert refused.code == "conflict"

    async def test_a_server_that_says_no(self, market: Any) -> None:
        market.sandbox.order(Fault("status", verb="patch", code=422, message="admission webhook\n  says no"))
        refused = await market.plan("restart-deployment", deployment="cart")
        assert refused == Refusal(
            "invalid", "Cluster prod refused to patch deployments.apps shop/cart (422): admission webhook says no."
        )


async def test_a_parameter_that_an_action_cannot_use_is_refused_by_its_name(
    open_shop: OpenShop, shipped: Any, tmp_path: Path
) -> None:
    book = yaml.safe_load(shipped["scale-deployment.yaml"])
    text = {"type": "string", "description": "How many.", "enum": ["many"]}
    book["parameters"]["properties"]["replicas"] = text
    (tmp_path / "scale-deployment.yaml").write_text(yaml.safe_dump(book))
    shop = await open_shop(books=load(tmp_path))
    refused = await shop.plan("scale-deployment", deployment="cart", replicas="many")
    said = 'Step scale does not take these arguments: replicas must be a whole number, not "many".'
    assert refused == Refusal("parameters", said)


async def test_one_object_cannot_be_two_targets(open_shop: OpenShop, tmp_path: Path) -> None:
    book = yaml.safe_load((EXAMPLES / "raise-log-level.yaml").read_text())
    again = {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "${parameters.config}"}
    book["steps"] = [
        book["steps"][1],
        {**book["steps"][2], "target": again, "preconditions": [{"check": "rollout-not-paused"}]},
    ]
    (tmp_path / "raise-log-level.yaml").write_text(yaml.safe_dump(book))
    shop = await open_shop(books=load(tmp_path))
    refused = await shop.plan("raise-log-level", deployment="cart", config="cart", level="debug")
    assert refused == Refusal(
        "same-target",
        "Deployment shop/cart is changed by steps with different targets (mark, restart), and the change of the one "
        "would void the other. Give them the same target, or use other parameters.",
    )
    assert isinstance(await shop.plan("raise-log-level", deployment="cart", config="checkout", level="debug"), Planned)


async def test_patches_of_different_forms_are_rehearsed_together(
    open_shop: OpenShop, shipped: Any, tmp_path: Path
) -> None:
    book = yaml.safe_load(shipped["set-image.yaml"])
    (image,) = book["steps"]
    pause = {"id": "pause", "action": "deployment-pause", "timeout_seconds": 30}
    restart = {"id": "restart", "action": "rollout-restart", "timeout_seconds": 30}
    resume = {"id": "resume", "action": "deployment-resume", "timeout_seconds": 30}
    (tmp_path / "set-image.yaml").write_text(yaml.safe_dump({**book, "steps": [pause, image, restart, resume]}))
    shop = await open_shop(books=load(tmp_path))
    shop.context = replace(shop.context, registries=("registry.example/shop/",))
    new = f"registry.example/shop/cart@sha256:{'a' * 64}"
    plan = (await shop.planned("set-image", deployment="cart", container="cart", image=new)).plan
    assert [call["content_type"].partition("-")[0] for call in plan.calls[: plan.forward]] == [
        "application/merge",
        "application/json",
        "application/merge",
        "application/merge",
    ]
    ran = await shop.run(plan)
    assert set(ran.ledger.values()) == {"done"}, ran
    assert all(effect.as_rehearsed for effect in ran.effects)
    live = shop.deployment("cart")
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == new
    assert not live["spec"].get("paused")


async def test_an_object_that_changed_once_is_planned_from_its_newest_state(market: Any) -> None:
    market.sandbox.order(Fault("conflict", verb="patch", times=1))
    assert isinstance(await market.plan("restart-deployment", deployment="cart"), Planned)


async def test_a_replica_set_of_somebody_else_is_no_revision(market: Any) -> None:
    """Labels may be shared; only what the Deployment controls is its history."""
    newest = max(
        (each for each in market.sandbox.clusters["prod"].store.list(REPLICA_SETS, "shop")),
        key=lambda each: each["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
    )
    container = {"name": "checkout", "image": "evil.example/checkout:9"}
    template = {"metadata": {"labels": {"app": "checkout", "by": "me"}}, "spec": {"containers": [container]}}
    market.sandbox.clusters["prod"].apply(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": "stranger",
                "namespace": "shop",
                "labels": newest["metadata"]["labels"],
                "annotations": {"deployment.kubernetes.io/revision": "99"},
                "ownerReferences": [
                    {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x", "uid": "x", "controller": True}
                ],
            },
            "spec": {"replicas": 0, "selector": {"matchLabels": {"by": "me"}}, "template": template},
        }
    )
    record = (await market.planned("rollback-deployment", deployment="checkout")).plan.record
    assert "evil.example" not in str(record)
    assert "revision 2" in record["effect"][0]


@pytest.mark.parametrize(
    ("verb", "runbook", "said"),
    [
        (DEPLOYMENT.verb("get"), "restart-deployment", "may not get deployments.apps shop/checkout"),
        (DEPLOYMENT.verb("patch"), "rollback-deployment", "the verb patch on deployments.apps"),
        (REPLICA_SET.verb("list"), "rollback-deployment", "may not list replicasets.apps of namespace shop"),
        (REPLICA_SET.verb("get"), "delete-pod", "the verb get on replicasets.apps"),
        (POD.verb("get"), "delete-pod", "may not get pods"),
        (POD.verb("delete"), "delete-pod", "the verb delete on pods."),
    ],
)
async def test_a_missing_right_is_named(open_shop: OpenShop, verb: Verb, runbook: str, said: str) -> None:
    """Also shows that each of these rights is needed: all are granted but one."""
    shop = await open_shop(without=verb)
    assert verb in rbac.runner(shop.catalogue.runbooks.values())
    given = {"pod": shop.pods("cart")[0]["metadata"]["name"]} if runbook == "delete-pod" else {"deployment": "checkout"}
    refused = await shop.plan(runbook, **given)
    assert isinstance(refused, Refusal)
    assert refused.code == "forbidden"
    assert refused.sentence.startswith("The runner of cluster prod may not")
    assert said in refused.sentence


async def test_secrets_stay_out_of_the_diff_but_their_change_shows(market: Any) -> None:
    def env(value: str) -> dict[str, Any]:
        container = {"name": "cart", "env": [{"name": "API_KEY", "value": value}]}
        return {"spec": {"template": {"spec": {"containers": [container]}}}}

    def redact(data: Any) -> Any:
        return json.loads(json.dumps(data).replace("hunter1", "[hidden]").replace("hunter2", "[hidden]"))

    for value in ("hunter1", "hunter2"):
        market.change("cart", env(value))
        await market.rolled_out("cart")
    made = await market.plan("rollback-deployment", deployment="cart", redact=redact)
    assert isinstance(made, Planned)
    (text,) = made.full_diffs
    assert "hunter" not in text
    assert "! spec.template.spec.containers[cart].env[API_KEY].value: changes, but its value is kept secret" in text


async def test_a_parameter_that_holds_a_secret_is_planned_nowhere(market: Any) -> None:
    """A plan shows its parameters in full, wherever they come from: a form, an alert's labels or a model."""
    refused = await market.plan("restart-deployment", deployment="payments", redact=Redactor(["payments"]).data)
    assert isinstance(refused, Refusal)
    assert refused.code == "secret"
    assert "cannot be used with this deployment. This looks like a secret" in refused.sentence
    assert "payments" not in refused.sentence


async def test_a_planned_delete_says_which_pod_and_who_replaces_it(market: Any) -> None:
    pod = market.pods("cart")[0]["metadata"]
    made = await market.planned("delete-pod", pod=pod["name"])
    record = made.plan.record
    owner = record["targets"][0]["owner"]["name"]
    assert record["calls"][0]["body"]["preconditions"] == {"uid": pod["uid"]}
    assert record["effect"] == [
        f"Pod shop/{pod['name']} will be deleted; it has 30 s to end by itself.",
        f"ReplicaSet {owner} starts another in its place.",
    ]
    rehearsed = [call for call in market.sandbox.calls if call.verb == "delete"]
    # A body hides the query from a real server, so the body must ask for the dry run too.
    assert [call.body["dryRun"] for call in rehearsed] == [["All"]]


async def test_a_silence_can_be_approved_while_half_of_it_is_left(open_shop: OpenShop) -> None:
    shop = await open_shop()
    for minutes, seconds in ((5, 150), (480, 900)):
        record = (await shop.planned("silence-alerts", alertname="X", minutes=minutes)).plan.record
        assert record["expires_at"] - record["created_at"] == seconds * 1_000_000


async def test_two_steps_that_create_have_a_target_each(open_shop: OpenShop, shipped: Any, tmp_path: Path) -> None:
    book = yaml.safe_load(shipped["silence-alerts.yaml"])
    matchers = {"alertname": "Other", "namespace": "${parameters.namespace}"}
    again = {**book["steps"][0], "id": "second", "with": {**book["steps"][0]["with"], "matchers": matchers}}
    (tmp_path / "silence-alerts.yaml").write_text(yaml.safe_dump({**book, "steps": [*book["steps"], again]}))
    shop = await open_shop(books=load(tmp_path))
    shop.context = replace(shop.context, now=time.time_ns() // 1000)
    plan = (await shop.planned("silence-alerts", alertname="X", minutes=5)).plan
    names = [target["name"] for target in plan.targets]
    assert len(set(names)) == len(plan.calls) == 2
    assert [call["target"] for call in plan.calls] == [0, 1]
    assert len(plan.locks) == 2
    ran = await shop.run(plan)
    assert ran.ledger == {0: "done", 1: "done"}, ran
    assert len(shop.silences.silences) == 2
