"""A workflow is started once, with the file that was approved."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks import execute
from bot.runbooks.plan import Planned, Refusal
from tests.runbooks.actions.conftest import SHOP, Hub

PATH = ".github/workflows/deploy.yml"
WORKFLOW = "on:\n  workflow_dispatch:\n"


@pytest.fixture
def deploy(hub: Hub) -> None:
    hub.sandbox.acts.push(SHOP, "main", {PATH: WORKFLOW})
    hub.sandbox.acts.run_workflow(SHOP, hub.repository.branches["main"], [], name="deploy")


async def plan(hub: Hub, **more: Any) -> Planned | Refusal:
    given = {"ref": "main", "inputs": {"environment": "prod"}} | more
    return await hub.plan_step("Workflow", "deploy.yml", "workflow-dispatch", "workflow-run-succeeded", **given)


async def planned(hub: Hub) -> Planned:
    made = await plan(hub)
    assert isinstance(made, Planned), made
    return made


async def test_it_is_started_once_with_its_inputs(hub: Hub, deploy: None) -> None:
    made = await planned(hub)
    assert made.plan.record["effect"] == [f"{SHOP} runs {PATH} at main, environment=prod, once."]
    assert await hub.read_back(made.plan) == "not applied"
    effect = await hub.fire(made.plan)
    assert (effect.outcome, effect.as_rehearsed) == ("done", True)
    assert [one["inputs"] for one in hub.repository.dispatched] == [{"environment": "prod"}]
    assert await hub.read_back(made.plan) == "applied"


async def test_a_run_that_somebody_else_started_is_not_ours(hub: Hub, deploy: None) -> None:
    made = await planned(hub)
    hub.fault("drop", "POST", "/dispatches$")
    assert (await hub.fire(made.plan)).outcome == "in_doubt"
    hub.sandbox.acts.run_workflow(SHOP, "main", [], name="deploy", event="workflow_dispatch")
    assert await hub.read_back(made.plan) == "not applied"


async def test_a_lost_answer_is_told_from_the_run(hub: Hub, deploy: None) -> None:
    made = await planned(hub)
    hub.fault("lose_answer", "POST", "/dispatches$")
    assert (await hub.fire(made.plan)).outcome == "in_doubt"
    assert await hub.read_back(made.plan) == "applied"


async def test_another_file_than_the_approved_one_is_not_started(hub: Hub, deploy: None) -> None:
    made = await planned(hub)
    hub.sandbox.acts.push(SHOP, "main", {PATH: WORKFLOW + "jobs: {}\n"})
    effect = await execute.fire(made.plan, 0, hub.access)
    assert effect.outcome == "failed"
    assert "another at main" in effect.sentence
    assert hub.repository.dispatched == []


async def test_what_cannot_be_started_is_refused(hub: Hub, deploy: None) -> None:
    for refused, says in (
        (await plan(hub, ref="nowhere"), f"There is no {PATH} at nowhere"),
        (await plan(hub, inputs={f"i{n}": "" for n in range(11)}), "at most 10 inputs"),
        (await hub.plan_step("Workflow", "no.yml", "workflow-dispatch", "none", ref="main"), "There is no Workflow"),
    ):
        assert isinstance(refused, Refusal)
        assert says in refused.sentence
