"""A comment is posted once below a pull request or an issue."""

from __future__ import annotations

import pytest

from bot.runbooks import execute, verify
from bot.runbooks.plan import Planned, Refusal
from tests.runbooks.actions.conftest import LATER, SHOP, Hub


@pytest.fixture
def pull(hub: Hub) -> None:
    hub.sandbox.acts.push(SHOP, "change", {"app.yaml": "a: 2\n"})
    hub.sandbox.acts.open_pull(SHOP, "change")


async def planned(hub: Hub) -> Planned:
    made = await hub.plan_step("PullRequest", "1", "comment", "as-written", text="Held back.\nINC-142 is open.")
    assert isinstance(made, Planned), made
    return made


async def test_it_says_what_was_approved(hub: Hub, pull: None) -> None:
    made = await planned(hub)
    assert "+   - Held back." in made.full_diff
    effect = await hub.fire(made.plan)
    assert (effect.outcome, effect.as_rehearsed) == ("done", True)
    (comment,) = hub.repository.pulls[1].comments
    assert comment.body.endswith("-->\nHeld back.\nINC-142 is open.")
    seen = await verify.observe(made.plan, {0: "done"}, hub.access, now=1)
    assert (seen.healthy, seen.altered) == (True, False)


@pytest.mark.parametrize(("fault", "found"), [("drop", "not applied"), ("lose_answer", "applied")])
async def test_whether_it_was_posted_is_told_by_its_key(hub: Hub, pull: None, fault: str, found: str) -> None:
    made = await planned(hub)
    hub.fault(fault, "POST", "/comments$")
    assert (await hub.fire(made.plan)).outcome == "in_doubt"
    assert await hub.read_back(made.plan) == found


async def test_a_key_that_a_stranger_copies_is_not_ours(hub: Hub, pull: None) -> None:
    made = await planned(hub)
    hub.sandbox.acts.comment(SHOP, 1, made.plan.calls[0]["body"]["body"], user="mallory")
    assert await hub.read_back(made.plan) == "not applied"


async def test_two_comments_of_one_plan_are_told_apart(hub: Hub, pull: None) -> None:
    made = await hub.plan_steps(
        "PullRequest", "1", {"do": {"text": "Held back."}, "more": {"text": "Why: INC-142."}}, "comment", "as-written"
    )
    assert isinstance(made, Planned), made
    assert (await hub.fire(made.plan)).outcome == "done"
    hub.fault("drop", "POST", "/comments$")
    assert (await execute.fire(made.plan, 1, hub.access)).outcome == "in_doubt"
    assert await execute.read_back(made.plan, 0, hub.access, waited_seconds=LATER) == "applied"
    assert await execute.read_back(made.plan, 1, hub.access, waited_seconds=LATER) == "not applied"


async def test_where_nothing_is_nothing_is_said(hub: Hub) -> None:
    refused = await hub.plan_step("Issue", "7", "comment", "as-written", text="x")
    assert isinstance(refused, Refusal)
    assert "There is no Issue" in refused.sentence
