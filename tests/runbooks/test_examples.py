"""The examples of the documentation are sound runbooks that run, fail and go back as they say."""

from __future__ import annotations

from bot.chat.approval_card import ApprovalView, render
from bot.chat.as_text import as_text
from bot.domain.approval import Approval
from bot.domain.plan import Plan
from bot.runbooks.execute import drift
from bot.sandbox.kubernetes.resources import CONFIG_MAPS
from bot.sandbox.kubernetes.spec import ImageBehaviour
from tests.runbooks.conftest import Shop

LEVEL = {"deployment": "cart", "config": "cart", "level": "debug"}


def level(examples: Shop) -> str:
    found = examples.sandbox.clusters["prod"].store.get(CONFIG_MAPS, "shop", "cart")
    assert found is not None
    return str(found["data"]["LOG_LEVEL"])


async def test_steps_with_targets_of_their_own(examples: Shop) -> None:
    plan = (await examples.planned("raise-log-level", **LEVEL)).plan
    assert [call["step"] for call in plan.calls] == ["set", "mark", "restart", "settle", "mark", "set"]
    assert [call["undoes"] for call in plan.calls] == [None, None, None, None, 1, 0]
    assert plan.locks == ["prod/ConfigMap/shop/cart", "prod/Deployment/shop/cart"]
    ran = await examples.run(plan)
    assert ran.verdict is not None
    assert ran.verdict.outcome == "helped", ran
    assert level(examples) == "debug"
    assert examples.deployment("cart")["metadata"]["annotations"]["shop.example/log-level"] == "debug"


async def test_what_does_not_help_is_taken_back_the_last_step_first(examples: Shop) -> None:
    plan = (await examples.planned("raise-log-level", **LEVEL)).plan
    short = plan.of({**plan.record, "calls": [{**call, "timeout_seconds": 3} for call in plan.calls]})
    examples.sandbox.clusters["prod"].images["registry.example/shop/cart:1.31.0"] = ImageBehaviour(ready_after=None)
    ran = await examples.run(short)
    assert (ran.end, ran.ledger) == ("undone", {0: "done", 1: "done", 2: "done", 3: "failed", 4: "done", 5: "done"})
    assert level(examples) == "info"
    assert "shop.example/log-level" not in examples.deployment("cart")["metadata"]["annotations"]


async def test_a_condition_decides_at_the_plan_and_its_change_voids_it(examples: Shop) -> None:
    examples.change("cart", {"spec": {"replicas": 0}})
    plan = (await examples.planned("raise-log-level", **LEVEL)).plan
    assert "mark" not in [call["step"] for call in plan.calls]
    examples.change("cart", {"spec": {"replicas": 3}})
    planned = (await examples.planned("raise-log-level", **LEVEL)).plan
    examples.change("cart", {"spec": {"replicas": 2}})
    effects = (await examples.run(planned)).effects
    assert "It decides whether step mark is done." in effects[1].sentence


async def test_the_target_that_was_changed_meanwhile_is_drift(examples: Shop) -> None:
    plan = (await examples.planned("raise-log-level", **LEVEL)).plan
    examples.sandbox.clusters["prod"].patch(CONFIG_MAPS, "shop", "cart", {"data": {"OTHER": "2"}})
    assert await drift(plan, examples.prod) == (), "what the step does not write may change"
    examples.sandbox.clusters["prod"].patch(CONFIG_MAPS, "shop", "cart", {"data": {"LOG_LEVEL": "warning"}})
    (moved,) = await drift(plan, examples.prod)
    assert (
        moved.sentence == "ConfigMap shop/cart was changed since the plan was made, in what config-key reads or writes."
    )
    assert level(examples) == "warning"


async def test_an_exact_inverse_is_said_to_restore_what_was(examples: Shop) -> None:
    planned = await examples.planned("raise-log-level", **LEVEL)
    request = a_request(planned.plan)
    text = as_text(render(request, planned.plan.record, ApprovalView(), full_diff=planned.full_diff))
    assert "will be taken back without asking again, to exactly what was before." in text
    assert "shown above for it" not in text


def a_request(plan: Plan) -> Approval:
    """A request for sign-off of a plan."""
    ends = plan.record["expires_at"]
    return Approval("a1", 1, "i1", plan.digest, plan.record["runbook"]["id"], "prod", "pending", None, 0, ends)
