"""An issue is opened once, and found again by its key."""

from __future__ import annotations

from typing import Any

from bot.runbooks import execute
from bot.runbooks.plan import Planned, Refusal
from tests.runbooks.actions.conftest import SHOP, Hub


async def plan(hub: Hub, **more: Any) -> Planned | Refusal:
    given = {"title": "Give checkout a budget", "body": "It has none.\nSee the runbook.", "labels": ["ops"]} | more
    return await hub.plan_step("Issue", "new", "issue-open", "as-written", **given)


async def planned(hub: Hub) -> Planned:
    made = await plan(hub)
    assert isinstance(made, Planned), made
    return made


async def test_an_issue_says_what_was_approved_and_for_which_incident(hub: Hub) -> None:
    made = await planned(hub)
    assert "- It has none." in made.full_diff
    effect = await hub.fire(made.plan)
    assert (effect.outcome, effect.as_rehearsed) == ("done", True)
    (issue,) = hub.repository.issues.values()
    assert (issue.title, issue.labels) == ("Give checkout a budget", ["ops"])
    assert issue.body.endswith("It has none.\nSee the runbook.\n\nOpened for INC-142.")
    assert await hub.read_back(made.plan) == "applied"
    assert [each.what for each in await execute.drift(made.plan, hub.access)] == ["there"]


async def test_whether_it_was_opened_is_told_by_its_key(hub: Hub) -> None:
    made = await planned(hub)
    hub.fault("drop", "POST", "/issues$")
    assert (await hub.fire(made.plan)).outcome == "in_doubt"
    assert await hub.read_back(made.plan) == "not applied"
    hub.fault("lose_answer", "POST", "/issues$")
    assert (await hub.fire(made.plan)).outcome == "in_doubt"
    assert await hub.read_back(made.plan) == "applied"


async def test_a_key_that_a_stranger_copies_is_not_ours(hub: Hub) -> None:
    made = await planned(hub)
    from bot.sandbox.github.hub import Issue

    body = made.plan.calls[0]["body"]["body"]
    hub.repository.issues[1] = Issue(1, "x", body, "mallory", [], "now")
    assert await hub.read_back(made.plan) == "not applied"


async def test_what_github_would_not_take_is_refused_before(hub: Hub) -> None:
    for more in ({"title": " "}, {"title": "x" * 257}, {"body": "x" * 60_001}):
        refused = await plan(hub, **more)
        assert isinstance(refused, Refusal)
        assert "at most 60,000 of text" in refused.sentence
    assert SHOP in str((await planned(hub)).plan.targets)
