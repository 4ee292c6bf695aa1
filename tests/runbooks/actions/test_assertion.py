"""A step may ask what a precondition asks, of the target as the steps before leave it; what is seen is said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.runbooks.actions.assertion import Assert
from bot.runbooks.catalogue import load
from bot.runbooks.execute import drift
from bot.runbooks.lint import lint
from bot.runbooks.resources import CONFIG_MAP, DEPLOYMENT
from bot.sandbox.kubernetes.resources import DEPLOYMENTS
from tests.runbooks.actions.rendering import live, rendered, target, unsuitable
from tests.runbooks.conftest import OpenShop, Shop

WEB = target(DEPLOYMENT)
BOOK: dict[str, Any] = {
    "id": "own",
    "version": 1,
    "title": "Scale and restart",
    "description": "A runbook of the test.",
    "risk": "low",
    "parameters": {"type": "object", "additionalProperties": False, "properties": {}},
    "target": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "cart"},
    "preconditions": [{"check": "rollout-not-paused"}],
    "verification": {"check": "as-written", "deadline_seconds": 60, "stable_seconds": 0, "on_failure": "rollback"},
    "rollback": {"note": "The number before is set again.", "approval": "included"},
    "approval": {"quorum": 1, "ttl_seconds": 600},
}
SCALE = {"id": "scale", "action": "scale", "with": {"replicas": 5}, "timeout_seconds": 20}
RESTART = {"id": "restart", "action": "rollout-restart", "timeout_seconds": 20}
Own = Callable[..., Awaitable[Shop]]


def asks(count: int, **more: Any) -> dict[str, Any]:
    given = {"check": "replicas-at-most", "with": {"count": count}}
    return {"id": "enough", "action": "assert", "with": given, "timeout_seconds": 20, **more}


@pytest.fixture
def own(open_shop: OpenShop, tmp_path: Path) -> Own:
    async def with_steps(*steps: dict[str, Any]) -> Shop:
        folder = tmp_path / "books"
        folder.mkdir()
        (folder / "own.yaml").write_text(yaml.safe_dump(BOOK | {"steps": list(steps)}))
        return await open_shop(books=load(folder))

    return with_steps


def test_it_is_a_call_to_nobody_that_says_what_it_asks() -> None:
    made = rendered(Assert(), WEB, live(), check="replicas-at-most", **{"with": {"count": 4}})
    assert made.call.body == {"check": "replicas-at-most", "with": {"count": 4}}
    assert made.effect == (
        "Then it looks whether Deployment shop/web is replicas-at-most (count 4); if not, the step fails.",
    )
    assert (made.undo, made.inverse, Assert.verbs, Assert.reads_only) == ("", None, frozenset(), True)
    assert unsuitable(Assert(), target(CONFIG_MAP), live(), check="replicas-at-most").code == "check"


async def test_it_sees_the_target_as_the_steps_before_leave_it(own: Own) -> None:
    shop = await own(SCALE, asks(5), RESTART)
    ran = await shop.run((await shop.planned("own")).plan)
    assert ran.ledger == {0: "done", 1: "done", 2: "done"}
    assert ran.effects[1].sentence == "cart asks for 5 pods, at most 5 are accepted."


@pytest.mark.parametrize(
    ("on_failure", "end", "replicas"), [("stop", "fail", 5), ("rollback", "undone", 3), ("continue", "verify", 5)]
)
async def test_what_does_not_hold_fails_the_step_with_what_was_seen(
    own: Own, on_failure: str, end: str, replicas: int
) -> None:
    shop = await own(SCALE, asks(4, on_failure=on_failure), RESTART)
    plan = (await shop.planned("own")).plan
    before = shop.deployment("cart")["spec"]["template"]
    ran = await shop.run(plan)
    assert (ran.end, ran.ledger[1]) == (end, "failed")
    assert ran.effects[1].sentence == "cart asks for 5 pods, at most 4 are accepted."
    assert shop.deployment("cart")["spec"]["replicas"] == replicas
    assert (shop.deployment("cart")["spec"]["template"] == before) is (on_failure != "continue")


async def test_a_target_that_is_another_one_now_is_not_asked(own: Own) -> None:
    shop = await own(SCALE, asks(5))
    plan = (await shop.planned("own")).plan
    assert await drift(plan, shop.prod) == ()
    other = plan.of({**plan.record, "targets": [{**plan.targets[0], "uid": "another"}]})
    ran = await shop.run(other)
    assert ran.effects[0].drift[0].what == "uid"


@pytest.mark.parametrize("first", [asks(3), {**asks(3), "action": "wait", "with": {"seconds": 0}}])
async def test_preconditions_are_looked_at_again_though_the_first_step_only_looks(
    own: Own, first: dict[str, Any]
) -> None:
    shop = await own(first, SCALE)
    plan = (await shop.planned("own")).plan
    assert plan.targets[0]["uid"] == shop.deployment("cart")["metadata"]["uid"]
    shop.sandbox.clusters["prod"].patch(DEPLOYMENTS, "shop", "cart", {"spec": {"paused": True}})
    assert {each.what for each in await drift(plan, shop.prod)} == {"precondition"}
    ran = await shop.run(plan)
    assert ran.ledger == {0: "done", 1: "failed"}
    assert "is paused; resume it first" in ran.effects[1].sentence


@pytest.mark.parametrize(
    ("given", "key", "sentence"),
    [
        ({"check": "all-well"}, "steps[0].with.check", '"all-well" is not accepted; one of "cron-job-active", '),
        ({"check": "node-cordoned"}, "steps[0].with.check", "node-cordoned is not for a Deployment; "),
        ({"check": "replicas-at-most"}, "steps[0].with", "replicas-at-most takes count under with"),
        ({"check": "replicas-at-most", "with": {"most": 3}}, "steps[0].with.with", "replicas-at-most takes count"),
        ({"check": "replicas-at-most", "with": 3}, "steps[0].with.with", "must be a mapping"),
        ({}, "steps[0]", "assert needs the argument check under with"),
    ],
)
def test_its_check_is_linted_as_a_precondition_is(
    tmp_path: Path, given: dict[str, Any], key: str, sentence: str
) -> None:
    step = {**asks(3), "with": given}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(BOOK | {"steps": [step, SCALE]}))
    found = {each.key: each.sentence for each in lint(tmp_path)}
    assert found[key].startswith(sentence), found
