"""Every shipped runbook: planned and run against the stand-ins with exactly the rights that `signoff rbac` prints; what
it leaves when its call is refused; and that taking it back leaves what was there before."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bot.runbooks.execute import REQUEST_LIMIT_SECONDS, fire, read_back
from bot.runbooks.plan import Refusal
from bot.sandbox.kubernetes.faults import Fault
from bot.sandbox.kubernetes.resources import CRON_JOBS, DAEMON_SETS, DEPLOYMENTS, NODES, PODS, STATEFUL_SETS
from bot.sandbox.kubernetes.spec import ImageBehaviour
from tests.runbooks.conftest import RUNBOOKS, OpenShop, Shop

Json = dict[str, Any]
Setting = Callable[[Shop], Any]

HOTFIX = "registry.example/shop/cart@sha256:" + "a" * 64
ALERT = {"alertname": "KubePodCrashLooping", "namespace": "shop"}


def cluster(shop: Shop) -> Any:
    return shop.sandbox.clusters["prod"]


def specs(shop: Shop) -> Json:
    """What people have set: the specs of everything a runbook can change, and the silences that hold."""
    store = cluster(shop).store
    kinds = (DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS, NODES, CRON_JOBS)
    found = {f"{kind.kind}/{each['metadata']['name']}": each["spec"] for kind in kinds for each in store.list(kind)}
    active = [each["matchers"] for each in shop.silences.silences.values() if shop.silences.state(each) == "active"]
    return {**found, "silences": active}


def pods(shop: Shop) -> set[str]:
    """The uids of the pods that are there to stay."""
    there = cluster(shop).store.list(PODS)
    return {each["metadata"]["uid"] for each in there if "deletionTimestamp" not in each["metadata"]}


def a_pod(shop: Shop, app: str = "cart") -> str:
    name: str = sorted(pod["metadata"]["name"] for pod in shop.pods(app))[0]
    return name


def nothing(shop: Shop) -> None:
    """The shop as it is."""


def paused(shop: Shop) -> None:
    shop.change("cart", {"spec": {"paused": True}})


def paused_with_a_broken_image(shop: Shop) -> None:
    paused(shop)
    cluster(shop).images["registry.example/shop/cart:9"] = ImageBehaviour(ready_after=None)
    shop.change("cart", _image("cart", "registry.example/shop/cart:9"))


def a_broken_hotfix(shop: Shop) -> None:
    cluster(shop).images[HOTFIX] = ImageBehaviour(pull_error="manifest unknown")


def no_room(shop: Shop) -> None:
    for node in ("node-1", "node-2", "node-3"):
        cluster(shop).patch(NODES, "", node, {"spec": {"unschedulable": True}})


def a_stuck_rollout(shop: Shop) -> None:
    shop.sandbox.play("prod", "break_checkout", 120)


def cordoned(shop: Shop) -> None:
    cluster(shop).patch(NODES, "", "node-1", {"spec": {"unschedulable": True}})


def a_cron_job(shop: Shop, *, suspended: bool = False) -> None:
    container = {"name": "report", "image": "registry.example/shop/report:1"}
    job = {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}}
    spec = {"schedule": "0 3 * * *", "suspend": suspended, "jobTemplate": job}
    meta = {"name": "report", "namespace": "shop"}
    cluster(shop).apply({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta, "spec": spec})


def a_suspended_cron_job(shop: Shop) -> None:
    a_cron_job(shop, suspended=True)


def a_stateful_set(shop: Shop) -> None:
    shop.add("StatefulSet", "db")


def a_daemon_set(shop: Shop) -> None:
    shop.add("DaemonSet", "agent")


def a_broken_stateful_set(shop: Shop) -> None:
    """One in parallel; the tests of its rollback have one that goes in order, and waits for a pod to be deleted."""
    shop.add("StatefulSet", "db", podManagementPolicy="Parallel")
    _break(shop, STATEFUL_SETS, "db")


def a_broken_daemon_set(shop: Shop) -> None:
    a_daemon_set(shop)
    _break(shop, DAEMON_SETS, "agent")


def _break(shop: Shop, kind: Any, name: str) -> None:
    image = f"registry.example/{name}:2"
    cluster(shop).images[image] = ImageBehaviour(pull_error="manifest unknown")
    cluster(shop).patch(kind, "shop", name, _image(name, image))
    cluster(shop).advance(60)


def a_stateful_set_without_room(shop: Shop) -> None:
    a_stateful_set(shop)
    no_room(shop)


def a_silence(shop: Shop) -> None:
    now = time.time()
    stamps = {"startsAt": _time(now), "endsAt": _time(now + 3600)}
    matchers = [{"name": name, "value": value, "isRegex": False} for name, value in ALERT.items()]
    shop.silences.create({"matchers": matchers, **stamps, "createdBy": "lee", "comment": "on it"})


def no_budget_to_spare(shop: Shop) -> None:
    """checkout wants three pods and its disruption budget all of them."""
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget"}
    meta = {"name": "checkout", "namespace": "shop"}
    cluster(shop).apply({**budget, "metadata": meta, "spec": {"minAvailable": 3}})
    cluster(shop).advance(1)


def _image(name: str, image: str) -> Json:
    return {"spec": {"template": {"spec": {"containers": [{"name": name, "image": image}]}}}}


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@dataclass(frozen=True)
class Case:
    """One runbook in use. ``shows`` is what its effect says. ``back`` is the runbook that takes it back, by name;
    ``unwell`` what makes it not help, where it then takes itself back."""

    runbook: str
    given: Json | Callable[[Shop], Json]
    shows: str
    setting: Setting = nothing
    changes: str = ""
    back: str = ""
    unwell: Setting | None = None
    refused: Mapping[str, str] = field(default_factory=lambda: {"verb": "patch"})

    def parameters(self, shop: Shop) -> Json:
        return self.given(shop) if callable(self.given) else self.given


NODE = {"node": "node-1"}
DB = {"stateful_set": "db"}
CART = {"deployment": "cart"}
REPORT = {"cron_job": "report"}
SILENCE = {"alertname": ALERT["alertname"], "minutes": 30}


def the_silence(shop: Shop) -> Json:
    return {"silence": next(iter(shop.silences.silences))}


CASES = (
    Case("cordon-node", NODE, "takes no new pods", changes="Node/node-1", back="uncordon-node"),
    Case("uncordon-node", NODE, "takes new pods again", cordoned, changes="Node/node-1", back="cordon-node"),
    Case("drain-node", NODE, "is evicted as its disruption budget allows", changes="Node/node-1", back="uncordon-node"),
    Case("delete-pod", lambda shop: {"pod": a_pod(shop)}, "will be deleted", refused={"verb": "delete"}),
    Case("evict-pod", lambda shop: {"pod": a_pod(shop)}, "is evicted", refused={"resource": "pods/eviction"}),
    Case("restart-deployment", CART, "3 pods of cart will be replaced", changes="Deployment/cart"),
    Case("restart-deployments", {"application": "shop"}, "3 pods of frontend will be replaced", changes="Deployment/"),
    Case("restart-stateful-set", DB, "3 pods of db will be replaced", a_stateful_set, changes="StatefulSet/db"),
    Case("restart-daemon-set", {"daemon_set": "agent"}, "3 pods of agent will be replaced", a_daemon_set,
         changes="DaemonSet/agent"),
    Case("rollback-deployment", {"deployment": "checkout"}, "returns from revision 4", a_stuck_rollout,
         changes="Deployment/checkout"),
    Case("rollback-stateful-set", DB, "1 pod of db will be replaced; 2 already run revision 1", a_broken_stateful_set,
         changes="StatefulSet/db"),
    Case("rollback-daemon-set", {"daemon_set": "agent"}, "1 pod of agent will be replaced; 2 already run revision 1",
         a_broken_daemon_set, changes="DaemonSet/agent"),
    Case("pause-rollout", CART, "rolls out no change", changes="Deployment/cart", back="resume-rollout"),
    Case("resume-rollout", CART, "rolls out what was changed", paused, changes="Deployment/cart",
         back="pause-rollout", unwell=paused_with_a_broken_image),
    Case("scale-deployment", CART | {"replicas": 5}, "goes from 3 to 5 pods", changes="Deployment/cart",
         unwell=no_room),
    Case("scale-stateful-set", DB | {"replicas": 5}, "goes from 3 to 5 pods", a_stateful_set,
         changes="StatefulSet/db", unwell=a_stateful_set_without_room),
    Case("set-image", CART | {"container": "cart", "image": HOTFIX}, "image registry.example/shop/cart:1.31.0 →",
         changes="Deployment/cart", unwell=a_broken_hotfix),
    Case("suspend-cron-job", REPORT, "starts no more Jobs", a_cron_job, changes="CronJob/report",
         back="resume-cron-job"),
    Case("resume-cron-job", REPORT, "starts Jobs again", a_suspended_cron_job, changes="CronJob/report",
         back="suspend-cron-job"),
    Case("silence-alerts", SILENCE, 'Alerts with alertname="KubePodCrashLooping", namespace="shop" stay quiet',
         changes="silences", back="expire-silence"),
    Case("expire-silence", the_silence, "are heard again", a_silence, changes="silences"),
)  # fmt: skip
ALL = pytest.mark.parametrize("case", CASES, ids=lambda case: case.runbook)


@pytest.fixture
async def shop(open_shop: OpenShop) -> Shop:
    """The shop, at the time that its Alertmanager has too."""
    opened = await open_shop()
    now = int(time.time() * 1_000_000)
    opened.context = replace(opened.context, now=now, registries=("registry.example/shop",))
    return opened


def test_no_shipped_runbook_is_left_out() -> None:
    on_github = ["rerun-failed-jobs", "revert-pull-request"]  # in the tests of their actions
    assert sorted([*on_github, *(case.runbook for case in CASES)]) == sorted(
        path.stem for path in Path(RUNBOOKS).glob("*.yaml")
    )


@ALL
async def test_it_is_planned_run_and_helps(shop: Shop, case: Case) -> None:
    case.setting(shop)
    before, had = specs(shop), pods(shop)
    planned = await shop.planned(case.runbook, **case.parameters(shop))
    assert case.shows in " ".join(planned.plan.record["effect"])
    assert specs(shop) == before, "planning changes nothing"
    ran = await shop.run(planned.plan)
    assert ran.verdict is not None
    assert ran.verdict.outcome == "helped", ran.verdict
    assert all(effect.outcome == "done" and effect.as_rehearsed for effect in ran.effects), ran.effects
    changed = {key for key, spec in specs(shop).items() if spec != before.get(key)}
    assert all(key.startswith(case.changes) for key in changed) if case.changes else changed == set()
    assert changed or pods(shop) != had, "something happened"


@ALL
async def test_a_call_that_is_refused_fails_the_run_and_leaves_everything_as_it_was(shop: Shop, case: Case) -> None:
    case.setting(shop)
    planned = await shop.planned(case.runbook, **case.parameters(shop))
    before, had = specs(shop), pods(shop)
    shop.sandbox.order(Fault("status", code=403, identity="runner", dry_run=False, **case.refused))
    await shop.silences.stop()
    ran = await shop.run(planned.plan)
    assert ran.end == "fail"
    assert [effect.outcome for effect in ran.effects] == ["failed"]
    assert ran.effects[0].sentence.startswith("Nothing was changed: ")
    assert specs(shop) == before
    assert had == pods(shop)


IN_KUBERNETES = [case for case in CASES if "silence" not in case.runbook]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("case", IN_KUBERNETES, ids=lambda case: case.runbook)
async def test_what_became_of_a_call_without_an_answer_is_read_back(shop: Shop, case: Case, when: str) -> None:
    case.setting(shop)
    plan = (await shop.planned(case.runbook, **case.parameters(shop))).plan
    shop.sandbox.order(Fault("drop", when=when, identity="runner", dry_run=False, **case.refused))
    effect = await fire(plan, 0, shop.prod)
    assert effect.outcome == "in_doubt"
    found = await read_back(plan, 0, shop.prod, waited_seconds=REQUEST_LIMIT_SECONDS)
    assert found == ("applied" if when == "after" else "not applied")
    if when == "before":
        soon = await read_back(plan, 0, shop.prod, waited_seconds=1)
        assert soon == "cannot tell", "it may still be under way"


@pytest.mark.parametrize("case", [case for case in CASES if case.back], ids=lambda case: case.runbook)
async def test_what_takes_it_back_leaves_what_was_there(shop: Shop, case: Case) -> None:
    case.setting(shop)
    before = specs(shop)
    assert (await shop.run((await shop.planned(case.runbook, **case.parameters(shop))).plan)).end == "verify"
    assert specs(shop) != before
    given = the_silence(shop) if case.back == "expire-silence" else case.parameters(shop)
    back = await shop.planned(case.back, **given)
    assert (await shop.run(back.plan)).end == "verify"
    assert _without_false(specs(shop)) == _without_false(before)


@pytest.mark.parametrize("case", [case for case in CASES if case.unwell], ids=lambda case: case.runbook)
async def test_what_does_not_help_takes_itself_back_as_was_approved(shop: Shop, case: Case) -> None:
    assert case.unwell is not None
    case.unwell(shop)
    before = specs(shop)
    planned = await shop.planned(case.runbook, **case.parameters(shop))
    ran = await shop.run(planned.plan)
    assert (ran.end, ran.verdict and ran.verdict.outcome) == ("undone", "did not help")
    assert [planned.plan.calls[ordinal]["undoes"] for ordinal in sorted(ran.ledger)] == [None, 0]
    assert all(effect.as_rehearsed for effect in ran.effects), ran.effects
    assert specs(shop) == before


async def test_a_drain_that_a_budget_holds_up_uncordons_the_node(shop: Shop) -> None:
    no_budget_to_spare(shop)
    before = specs(shop)
    planned = await shop.planned("drain-node", **NODE)
    plan = planned.plan.of(
        {**planned.plan.record, "calls": [{**call, "timeout_seconds": 3} for call in planned.plan.calls]}
    )
    ran = await shop.run(plan)
    assert ran.end == "undone"
    assert "could not be moved within 3 s" in next(each.sentence for each in ran.effects if each.outcome == "failed")
    assert specs(shop) == before


async def test_what_is_not_there_is_refused_in_words(shop: Shop) -> None:
    absent = {
        "node": "node-9",
        "pod": "cart-0",
        "deployment": "payments",
        "application": "none",
        "stateful_set": "payments",
        "daemon_set": "payments",
        "cron_job": "none",
        "silence": "00000000-0000-0000-0000-000000000000",
    }
    for case in CASES:
        if case.runbook == "silence-alerts":
            continue  # an alert may be silenced before it fires
        properties = shop.catalogue.runbooks[case.runbook].parameters["properties"]
        given = {**(case.given if isinstance(case.given, dict) else {}), **absent}
        refusal = await shop.plan(case.runbook, **{name: given[name] for name in given if name in properties})
        assert isinstance(refusal, Refusal)
        assert refusal.sentence.startswith(("There is no ", "There are no ")), refusal


def _without_false(data: Any) -> Any:
    """An absent flag and a false one are the same to Kubernetes."""
    return {key: {k: v for k, v in spec.items() if v is not False} if isinstance(spec, dict) else spec
            for key, spec in data.items()}  # fmt: skip
