"""Which ControllerRevision a rollback chooses, what it writes, and what becomes of the pods."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.actions.revision_rollback import RevisionRollback
from bot.runbooks.execute import fire
from bot.runbooks.plan import Refusal
from bot.runbooks.resources import CONTROLLER_REVISION, DAEMON_SET, POD, STATEFUL_SET, Verb
from bot.sandbox.kubernetes.registry import Options
from bot.sandbox.kubernetes.resources import CONTROLLER_REVISIONS, DAEMON_SETS, PODS, STATEFUL_SETS
from bot.sandbox.kubernetes.spec import ImageBehaviour
from tests.runbooks.actions.rendering import after, another, live, read_back, rendered, target, unsuitable
from tests.runbooks.conftest import OpenShop, Shop

Json = dict[str, Any]

ACTION = RevisionRollback()
DB, AGENT = target(STATEFUL_SET, "db"), target(DAEMON_SET, "agent")
CAUSE = "kubernetes.io/change-cause"


def template(image: str) -> Json:
    return {"metadata": {"labels": {"app": "it"}}, "spec": {"containers": [{"name": "it", "image": image}]}}


def db(image: str = "it:3", *, ready: int = 3, partition: int = 0, **spec: Any) -> Json:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}
    whole = {"replicas": 3, "template": template(image), "updateStrategy": strategy, **spec}
    return live("db", annotations={CAUSE: "newest"}, spec=whole, status={"readyReplicas": ready})


def agent(image: str = "it:3", scheduled: int = 3) -> Json:
    spec = {"template": template(image), "updateStrategy": {"type": "RollingUpdate"}}
    return live("agent", spec=spec, status={"desiredNumberScheduled": scheduled})


def revision(number: int, image: str, **data: Any) -> Json:
    kept = {**template(image), "metadata": {"creationTimestamp": None, "labels": {"app": "it"}}}
    metadata = {
        "name": f"it-{number}",
        "labels": {"app": "it", "controller-revision-hash": f"h{number}"},
        "annotations": {CAUSE: f"of {number}"},
    }
    patch = {"spec": {"template": {"$patch": "replace", **kept}}}
    return {"kind": "ControllerRevision", "metadata": metadata, "revision": number, "data": patch, **data}


def pod(name: str, runs: str, *, ready: bool = True, deleted: bool = False) -> Json:
    going = {"deletionTimestamp": "2026-11-21T00:00:00Z"} if deleted else {}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"controller-revision-hash": runs}, **going},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


THREE = (revision(1, "it:1"), revision(3, "it:3"), revision(2, "it:2"))
BOTH = pytest.mark.parametrize(("on", "now"), [(DB, db), (AGENT, agent)], ids=["StatefulSet", "DaemonSet"])


@BOTH
@pytest.mark.parametrize(
    ("image", "asked", "chosen"),
    [
        ("it:3", 0, "it:2"),
        ("it:3", 1, "it:1"),
        # After a rollback that its controller has not numbered yet, the current one is not the highest.
        ("it:2", 0, "it:3"),
    ],
)
def test_it_goes_to_the_revision_asked_for_or_the_newest_other(
    on: Any, now: Any, image: str, asked: int, chosen: str
) -> None:
    call = rendered(ACTION, on, now(image), THREE, revision=asked).call
    assert call.content_type == "application/json-patch+json"
    assert call.body == [{"op": "replace", "path": "/spec/template", "value": template(chosen)}]


@BOTH
def test_its_inverse_restores_what_was_read(on: Any, now: Any) -> None:
    before = now()
    made = rendered(ACTION, on, before, THREE, revision=1)
    changed = after(before, made.call)
    assert changed["spec"]["template"] == template("it:1")
    assert changed["metadata"] == before["metadata"], "the change-cause is not a revision's own"
    assert after(changed, made.inverse) == before
    assert made.undo == f"Roll {on} back to revision 3."


@BOTH
@pytest.mark.parametrize(
    ("image", "kept", "asked", "code"),
    [
        ("it:3", THREE[1:2], 0, "no-earlier-revision"),
        ("it:3", THREE, 3, "same-template"),
        ("it:3", THREE, 7, "unknown-revision"),
        ("it:9", THREE, 0, "not-observed"),
        ("it:9", (), 0, "not-observed"),
        # What does not replace the template as a whole is nothing that could be restored exactly.
        ("it:3", (THREE[1], revision(2, "it:2", data={"spec": {"template": template("it:2")}})), 2, "no-earlier"),
        ("it:3", (THREE[1], revision(2, "it:2", data=["odd"])), 2, "no-earlier"),
        ("it:3", (THREE[1], revision(2, "it:2", data={"spec": {"template": {"$patch": "replace"}}})), 2, "no-earlier"),
    ],
)
def test_what_cannot_be_rolled_back_says_so(
    on: Any, now: Any, image: str, kept: tuple[Json, ...], asked: int, code: str
) -> None:
    assert unsuitable(ACTION, on, now(image), kept, revision=asked).code.startswith(code)


def test_a_stateful_set_says_what_is_replaced_and_what_stays() -> None:
    pods = (pod("db-0", "it-2"), pod("db-1", "it-2"), pod("db-2", "it-3"))
    assert rendered(ACTION, DB, db(), (*THREE, *pods), revision=0).effect == (
        "StatefulSet shop/db returns from revision 3 to the pod template of revision 2.",
        "Container it: image it:3 → it:2.",
        "1 pod of db will be replaced; 2 already run revision 2.",
        "Pods are replaced one by one, the highest number first; each must be ready before the next.",
    )
    before = rendered(ACTION, DB, db(partition=1), (*THREE, *pods), revision=0).effect
    assert before[2:] == (
        "1 pod of db will be replaced; 1 already runs revision 2.",
        "Pods are replaced one by one, the highest number first; each must be ready before the next. "
        "Pod 0 stays as it is (partition 1).",
    )
    numbered = db(partition=1, ordinals={"start": 5})
    high = (pod("db-5", "it-2"), pod("db-6", "it-2"), pod("db-7", "it-3"))
    assert rendered(ACTION, DB, numbered, (*THREE, *high), revision=0).effect[2] == before[2]


STUCK = (pod("db-0", "it-2"), pod("db-1", "it-3", ready=False), pod("db-2", "it-3"))


@pytest.mark.parametrize(
    ("now", "pods", "said"),
    [
        (db(ready=2), STUCK, "so delete db-1 once the template is back."),
        # It is not stuck with what is rolled back, so who reads has to look.
        (db(ready=2), (*STUCK[::2], pod("db-1", "it-2", ready=False)), "so delete that one once the template is back."),
        (db(ready=2), (*STUCK[::2], pod("db-1", "it-3", ready=False, deleted=True)), "so delete that one once"),
        (db(ready=2, podManagementPolicy="Parallel"), STUCK, ""),
        (db(), STUCK[:1], ""),
    ],
)
def test_a_pod_that_holds_the_rollback_up_is_named(now: Json, pods: tuple[Json, ...], said: str) -> None:
    pace = rendered(ACTION, DB, now, (*THREE, *pods), revision=0).effect[-1]
    if said:
        assert f"Only 2 of 3 are ready now: while one is not, none is replaced, {said}" in pace
    else:
        assert "ready now" not in pace


def test_of_many_pods_that_hold_it_up_the_first_are_named_in_their_order() -> None:
    down = [pod(f"db-{number}", "it-3", ready=False) for number in range(20, 8, -1)]
    pace = rendered(ACTION, DB, db(ready=0, replicas=21), (*THREE, *down), revision=0).effect[-1]
    assert "none is replaced, so delete db-9, db-10, db-11 and 9 more once the template is back." in pace


def test_a_daemon_set_says_how_many_nodes_get_another_pod() -> None:
    pods = (pod("agent-a", "h3", ready=False), pod("agent-b", "h2"), pod("agent-c", "h1"), pod("agent-d", "h2"))
    assert rendered(ACTION, AGENT, agent(scheduled=4), (*THREE, *pods), revision=0).effect[2:] == (
        "2 pods of agent will be replaced; 2 already run revision 2.",
        "Pods are replaced node by node: at most 1 unavailable and 0 extra at a time.",
    )
    many = tuple(pod(f"agent-{number}", "h3") for number in range(500))
    said = rendered(ACTION, AGENT, agent(scheduled=800), (*THREE, *many), revision=0).effect[2]
    assert said == "At most 800 pods of agent will be replaced."


@BOTH
def test_it_is_read_back_by_the_template(on: Any, now: Any) -> None:
    before, result = now("it:3"), now("it:2")
    for found, verdict in (
        (result, "applied"),
        (before, "not applied"),
        (now("it:9"), "cannot tell"),
        (None, "cannot tell"),
        (another(result), "cannot tell"),
        ({**before, "metadata": {**before["metadata"], "generation": 5}}, "cannot tell"),
    ):
        assert read_back(ACTION, before, result, found, revision=0) == verdict


# --- in the stand-in, whose controllers keep the revisions ---------------------------------------------------------


def roll(shop: Shop, resource: Any, name: str, image: str) -> None:
    container = {"name": name, "image": image}
    body = {"spec": {"template": {"spec": {"containers": [container]}}}}
    shop.sandbox.clusters["prod"].patch(resource, "shop", name, body)
    shop.sandbox.clusters["prod"].advance(60)


def broken(shop: Shop, image: str) -> str:
    shop.sandbox.clusters["prod"].images[image] = ImageBehaviour(pull_error="manifest unknown")
    return image


def image_of(shop: Shop, name: str) -> dict[str, str]:
    return {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in shop.pods(name)}


async def test_a_stateful_set_in_order_recovers_once_the_pod_that_was_named_is_deleted(market: Shop) -> None:
    market.add("StatefulSet", "db")
    roll(market, STATEFUL_SETS, "db", broken(market, "registry.example/db:2"))
    plan = (await market.planned("rollback-stateful-set", stateful_set="db")).plan
    assert "1 pod of db will be replaced; 2 already run revision 1." in plan.record["effect"]
    assert "so delete db-2 once the template is back." in plan.record["effect"][-1]
    assert (await fire(plan, 0, market.prod)).outcome == "done"
    cluster = market.sandbox.clusters["prod"]
    cluster.advance(600)
    assert image_of(market, "db")["db-2"] == "registry.example/db:2", "as Kubernetes does, it waits for the pod"
    cluster.registry.delete(PODS, "shop", "db-2", {}, Options())
    held = await market.watch(plan, {0: "done"}, market.prod, plan.record["verification"])
    assert held.outcome == "helped", held
    assert set(image_of(market, "db").values()) == {"registry.example/db:1"}


async def test_a_daemon_set_goes_back_and_forth_between_its_revisions(market: Shop) -> None:
    market.add("DaemonSet", "agent")
    roll(market, DAEMON_SETS, "agent", "registry.example/agent:2")
    for image, returns in (("agent:1", "from revision 2"), ("agent:2", "from revision 3")):
        made = await market.planned("rollback-daemon-set", daemon_set="agent")
        assert returns in made.plan.record["effect"][0]
        assert "3 pods of agent will be replaced." in made.plan.record["effect"]
        ran = await market.run(made.plan)
        assert (ran.end, ran.verdict and ran.verdict.outcome) == ("verify", "helped")
        assert set(image_of(market, "agent").values()) == {f"registry.example/{image}"}


@pytest.mark.parametrize(
    ("kind", "resource", "runbook"),
    [("StatefulSet", STATEFUL_SETS, "stateful-set"), ("DaemonSet", DAEMON_SETS, "daemon-set")],
)
async def test_what_it_cannot_do_is_refused_in_words(market: Shop, kind: str, resource: Any, runbook: str) -> None:
    async def sentence(name: str, **given: Any) -> str:
        refusal = await market.plan(f"rollback-{runbook}", **{runbook.replace("-", "_"): name}, **given)
        assert isinstance(refusal, Refusal)
        return refusal.sentence

    market.add(kind, "first")
    assert await sentence("first") == (
        f"{kind} shop/first keeps no earlier revision to return to. Deploy a fixed release instead."
    )
    roll(market, resource, "first", "registry.example/first:2")
    assert (await sentence("first", revision=2)).startswith(f"Revision 2 of {kind} shop/first is the current one")
    assert await sentence("first", revision=9) == (
        f"{kind} shop/first keeps no revision 9. Revisions it could return to: 1."
    )
    market.add(kind, "own", updateStrategy={"type": "OnDelete"})
    assert (await sentence("own")).startswith("own replaces no pod by itself (updateStrategy OnDelete)")


async def test_a_revision_that_another_object_controls_is_none_of_its_own(market: Shop) -> None:
    market.add("DaemonSet", "agent")
    cluster = market.sandbox.clusters["prod"]
    market.add("DaemonSet", "other")
    own, others = cluster.store.list(CONTROLLER_REVISIONS, "shop")
    metadata = {**others["metadata"], "name": "evil", "labels": own["metadata"]["labels"], "resourceVersion": ""}
    data = {"spec": {"template": {"$patch": "replace", **template("evil.example/it:1")}}}
    evil = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": 7, "data": data, "metadata": metadata}
    cluster.registry.create(CONTROLLER_REVISIONS, "shop", evil, Options())
    refusal = await market.plan("rollback-daemon-set", daemon_set="agent")
    assert isinstance(refusal, Refusal)
    assert refusal.code == "no-earlier-revision"


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        (CONTROLLER_REVISION.verb("list"), "may not list controllerrevisions.apps of namespace shop"),
        (POD.verb("list"), "may not list pods of namespace shop"),
        (DAEMON_SET.verb("patch"), "the verb patch on daemonsets.apps"),
    ],
)
async def test_a_missing_right_is_named(open_shop: OpenShop, verb: Verb, said: str) -> None:
    shop = await open_shop(without=verb)
    shop.add("DaemonSet", "agent")
    roll(shop, DAEMON_SETS, "agent", "registry.example/agent:2")
    refusal = await shop.plan("rollback-daemon-set", daemon_set="agent")
    assert isinstance(refusal, Refusal)
    assert said in refusal.sentence
