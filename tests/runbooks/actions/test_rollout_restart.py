"""A restart writes one annotation with the time of planning."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.actions.action import Occasion, Rendered, Unsuitable
from bot.runbooks.actions.rollout_restart import RESTARTED_AT, RolloutRestart
from bot.runbooks.plan import Refusal
from bot.runbooks.resources import DAEMON_SET, DEPLOYMENT, STATEFUL_SET
from bot.runbooks.target import Target
from bot.sandbox.kubernetes.resources import DAEMON_SETS, STATEFUL_SETS
from bot.sandbox.kubernetes.spec import ImageBehaviour
from tests.runbooks.conftest import Shop

TARGET = Target("prod", DEPLOYMENT, "shop", "web", "u1")
NOW = 1_795_000_000_999_999


def live(strategy: dict[str, Any] | None = None, restarted: str | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"labels": {"app": "web"}}
    if restarted:
        metadata["annotations"] = {RESTARTED_AT: restarted}
    spec: dict[str, Any] = {"replicas": 3, "template": {"metadata": metadata, "spec": {}}}
    return {"metadata": {"name": "web", "uid": "u1"}, "spec": spec | ({"strategy": strategy} if strategy else {})}


def test_only_the_annotation_is_written() -> None:
    rendered = RolloutRestart().render(TARGET, live(), (), {}, Occasion(NOW))
    assert isinstance(rendered, Rendered)
    assert rendered.call.body == {
        "spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: "2026-11-18T11:06:40Z"}}}}
    }
    assert rendered.effect == (
        "3 pods of web will be replaced by new ones of the same release.",
        "Pods are replaced step by step: at most 25% unavailable and 25% extra at a time.",
    )


def test_recreate_says_that_everything_stops_first() -> None:
    rendered = RolloutRestart().render(TARGET, live({"type": "Recreate"}), (), {}, Occasion(NOW))
    assert isinstance(rendered, Rendered)
    assert rendered.effect[1] == "All its pods are stopped before new ones start (strategy Recreate)."


def test_a_second_restart_within_the_second_would_change_nothing() -> None:
    rendered = RolloutRestart().render(TARGET, live(restarted="2026-11-18T11:06:40Z"), (), {}, Occasion(NOW))
    assert isinstance(rendered, Unsuitable)
    assert rendered.code == "same-second"


def a_set(partition: int = 0, ready: int = 3, replicas: int = 3, **spec: Any) -> dict[str, Any]:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}
    whole = {"replicas": replicas, "updateStrategy": strategy, "template": {"metadata": {}, "spec": {}}, **spec}
    return {"metadata": {"name": "db", "uid": "u1"}, "spec": whole, "status": {"readyReplicas": ready}}


@pytest.mark.parametrize(
    ("live", "effect"),
    [
        (a_set(), ("3 pods of db", "Pods are replaced one by one, the highest number first; each must be ready")),
        (a_set(1), ("2 pods of db", "Pod 0 stays as it is (partition 1).")),
        (a_set(2), ("1 pod of db", "Pods 0 to 1 stay as they are (partition 2).")),
        (a_set(replicas=1, ready=1), ("1 pod of db", "Its only pod is stopped before the new one starts.")),
        (a_set(ready=2), ("3 pods of db", "Only 2 of 3 are ready now: while one is not, none is replaced")),
    ],
)
def test_a_stateful_set_says_which_pods_and_what_holds_it_up(live: dict[str, Any], effect: tuple[str, str]) -> None:
    rendered = RolloutRestart().render(Target("prod", STATEFUL_SET, "shop", "db", "u1"), live, (), {}, Occasion(NOW))
    assert isinstance(rendered, Rendered)
    assert rendered.effect[0] == f"{effect[0]} will be replaced by new ones of the same release."
    assert effect[1] in rendered.effect[1]
    parallel = a_set(ready=2, podManagementPolicy="Parallel")
    free = RolloutRestart().render(Target("prod", STATEFUL_SET, "shop", "db", "u1"), parallel, (), {}, Occasion(NOW))
    assert isinstance(free, Rendered)
    assert "Only 2" not in free.effect[1]


def test_a_daemon_set_has_as_many_pods_as_its_controller_says() -> None:
    live = a_set() | {"status": {"desiredNumberScheduled": 7}}
    live["spec"]["updateStrategy"]["rollingUpdate"] = {"maxUnavailable": "10%", "maxSurge": 0}
    rendered = RolloutRestart().render(Target("prod", DAEMON_SET, "shop", "db", "u1"), live, (), {}, Occasion(NOW))
    assert isinstance(rendered, Rendered)
    assert rendered.effect == (
        "7 pods of db will be replaced by new ones of the same release.",
        "Pods are replaced node by node: at most 10% unavailable and 0 extra at a time.",
    )


@pytest.mark.parametrize(("kind", "runbook"), [("StatefulSet", "stateful-set"), ("DaemonSet", "daemon-set")])
async def test_what_waits_for_its_pods_to_be_deleted_is_refused(market: Shop, kind: str, runbook: str) -> None:
    market.add(kind, "own", updateStrategy={"type": "OnDelete"})
    refusal = await market.plan(f"restart-{runbook}", **{runbook.replace("-", "_"): "own"})
    assert isinstance(refusal, Refusal)
    assert refusal.sentence.startswith("own replaces no pod by itself (updateStrategy OnDelete)")


async def test_pods_before_the_partition_keep_running(market: Shop) -> None:
    market.add("StatefulSet", "db", updateStrategy={"rollingUpdate": {"partition": 2}})
    before = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in market.pods("db")}
    ran = await market.run((await market.planned("restart-stateful-set", stateful_set="db")).plan)
    assert (ran.end, ran.verdict and ran.verdict.outcome) == ("verify", "helped")
    now = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in market.pods("db")}
    assert {name for name in now if now[name] != before[name]} == {"db-2"}


async def test_a_partition_that_moves_after_planning_voids_the_plan(market: Shop) -> None:
    market.add("StatefulSet", "db")
    plan = (await market.planned("restart-stateful-set", stateful_set="db")).plan
    strategy = {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 1}}}}
    market.sandbox.clusters["prod"].patch(STATEFUL_SETS, "shop", "db", strategy)
    ran = await market.run(plan)
    assert {each.what for each in ran.effects[0].drift} == {"precondition", "fields"}
    assert market.writes() == []


async def test_a_daemon_set_that_does_not_come_back_did_not_help(market: Shop) -> None:
    market.add("DaemonSet", "agent")
    plan = (await market.planned("restart-daemon-set", daemon_set="agent")).plan
    market.sandbox.clusters["prod"].images["registry.example/agent:1"] = ImageBehaviour(ready_after=None)
    ran = await market.run(plan)
    assert ran.verdict is not None
    assert (ran.verdict.outcome, "2 of 3 pods ready" in ran.verdict.sentence) == ("did not help", True), ran.verdict
    status = market.sandbox.clusters["prod"].store.get(DAEMON_SETS, "shop", "agent")["status"]
    assert status["updatedNumberScheduled"] == 1, "the controller stops at the first node that is not well"
