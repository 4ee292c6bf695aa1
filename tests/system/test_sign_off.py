"""Who may sign off, end to end: groups of Slack, listed people, and what people can take back."""

from __future__ import annotations

import time
from typing import Any

from tests.system.town import DANA, GUEST, LEE, PRIYA, OpenShop, Town

ONCALL = {"usergroups": ["T0SHOP:S0ONCALL"]}
PLATFORM = {"usergroups": ["T0SHOP:S0PLATFORM"], "users": ["T0SHOP:U0GUEST"]}


def needing(**groups: Any) -> dict[str, Any]:
    """Configuration in which every risk needs one of each of these groups."""
    demand = {"groups": dict.fromkeys(groups, 1)}
    return {
        "approvers": [],
        "groups": groups,
        "approvals": dict.fromkeys(("low", "medium", "high", "critical"), demand),
    }


async def ops(here: Town, user: str, text: str) -> str:
    """Type /ops and return what its person alone is told."""
    outcome = await here.page.act("/sandbox/command", {"user": user, "channel": "C0INCIDENTS", "text": f"/ops {text}"})
    return str(outcome)


async def switch(here: Town, **switches: Any) -> None:
    await here.page.act("/sandbox/switches", switches)


async def test_it_takes_one_of_each_group_and_no_one_person_is_two(configured: OpenShop) -> None:
    async with configured(**needing(oncall=ONCALL, platform=PLATFORM)) as here:
        request = await here.request()
        await here.page.click(PRIYA, request, "Approve")
        await here.sees("A-1: approved by .*1 of 2")
        await here.page.click(PRIYA, request, "Approve", stale=True)
        await here.sees("one person has one vote", user=PRIYA)
        await here.page.click(GUEST, request, "Approve", stale=True)
        await here.sees("is a guest", user=GUEST)
        assert await here.writes() == []
        await here.page.click(LEE, request, "Approve", stale=True)
        await here.sees("A-1 helped")
        assert len(await here.writes()) == 1
        ages = here.rows("SELECT groups_age_ms FROM votes WHERE state = 'counted'")
        assert all(0 <= age <= 10_000 for (age,) in ages)
        assert here.audit_holds()


async def test_who_joins_a_group_later_counts_for_the_next_request_and_who_leaves_no_more(
    configured: OpenShop,
) -> None:
    async with configured(**needing(oncall=ONCALL)) as here:
        request = await here.request()
        await switch(here, usergroup={"group": "S0ONCALL", "users": [DANA, PRIYA]})
        # A reading may be ten seconds old: a new process has none.
        here.kill()
        await here.serve()
        await here.page.click(DANA, request, "Approve")
        await here.sees("came to oncall after A-1 was asked for", user=DANA)
        await here.page.click(LEE, request, "Approve", stale=True)
        await here.sees("not on the list of approvers", user=LEE)
        assert here.rows("SELECT state FROM approvals") == [("pending",)]
        # Who asks for the same again confirms it, for the people who are in the group now.
        await here.choose(PRIYA, request, "Change its parameters")
        values = {"p.namespace": "shop", "p.deployment": "checkout", "p.revision": "0"}
        form = await here.modal(PRIYA)
        await here.page.act("/sandbox/submit", {"user": PRIYA, "view_id": form["id"], "values": values})
        await here.sees("A-1 is replaced by A-2: who may approve it has changed")
        await here.page.click(DANA, await here.request(2), "Approve", stale=True)
        await here.sees("A-2 helped")
        assert here.audit_holds()


async def test_a_group_that_slack_does_not_tell_has_nobody_in_it(configured: OpenShop) -> None:
    async with configured(**needing(oncall=ONCALL)) as here:
        request = await here.request()
        await switch(here, plan_upgrade_required=True)
        here.kill()
        await here.serve()
        await here.page.click(LEE, request, "Approve")
        await here.sees("could not be asked who is in oncall", user=LEE)
        assert here.rows("SELECT state FROM approvals") == [("pending",)]
        assert await here.writes() == []


async def test_an_approval_is_taken_back_until_the_run_starts(configured: OpenShop) -> None:
    async with configured(**needing(oncall=ONCALL, platform=PLATFORM)) as here:
        request = await here.request()
        await here.choose(LEE, request, "Take my approval back")
        await here.sees("[Ll]ee.* has given no approval of A-1 to take back", user=LEE)
        await here.page.click(LEE, request, "Approve", stale=True)
        await here.sees("A-1: approved by .*1 of 2")
        await here.choose(LEE, request, "Take my approval back")
        await here.sees("took their approval of A-1 back")
        await here.page.click(PRIYA, request, "Approve", stale=True)
        await here.until(
            lambda: here.rows("SELECT count(*) FROM votes WHERE state = 'counted' AND decision = 'approve'") == [(1,)],
            "Priya's vote alone to count",
        )
        assert here.rows("SELECT state FROM approvals") == [("pending",)]
        assert await here.writes() == []


async def test_nothing_starts_while_actions_are_off_and_two_turn_them_on_again(configured: OpenShop) -> None:
    async with configured() as here:
        request = await here.request()
        assert "Only approvers" in await ops(here, DANA, "actions off because I can")
        assert "Actions are off" in await ops(here, LEE, "actions off the registry is gone")
        await here.sees("turned all actions off: the registry is gone")
        await here.page.click(PRIYA, request, "Approve", stale=True)
        await here.sees("Actions are off: .* stopped them .the registry is gone", user=PRIYA)
        async with here.session.get(f"{here.url}/readyz") as response:
            assert any("Actions are off" in problem for problem in (await response.json())["problems"])
        assert "Somebody else" not in await ops(here, LEE, "actions on")
        assert "somebody else has to" in await ops(here, LEE, "actions on")
        assert "on again" in await ops(here, PRIYA, "actions on")
        await here.page.click(PRIYA, request, "Approve", stale=True)
        await here.sees("A-1 helped")
        assert here.audit_holds()


async def test_a_freeze_refuses_an_approval_and_says_until_when(configured: OpenShop) -> None:
    freeze = [{"kind": "deny", "cron": "* * * * *", "duration": "1h", "why": "Black Friday", "clusters": ["prod"]}]
    async with configured(windows=freeze) as here:
        request = await here.request()
        await here.page.click(LEE, request, "Approve", stale=True)
        await here.sees("A change freeze holds: Black Friday", user=LEE)
        assert here.rows("SELECT state FROM approvals") == [("pending",)]
        assert await here.writes() == []


async def test_an_approved_run_that_has_not_begun_waits_and_can_still_be_stopped(configured: OpenShop) -> None:
    async with configured() as here:
        request = await here.request()
        # The target cannot be read, so the run is tried again and again, and each time asks whether it may begin.
        unread = {"action": "drop", "verb": "get", "resource": "deployments", "name": "checkout", "identity": "runner"}
        await here.control("faults", unread | {"times": 1000})
        await here.page.click(LEE, request, "Approve", stale=True)
        await here.sees("A-1 approved by")
        assert "Actions are off" in await ops(here, PRIYA, "actions off wait a moment")
        waits = await here.sees("A-1 is approved and waits. Actions are off: .* stopped them .wait a moment")
        assert waits
        await here.page.click(PRIYA, request, "Deny", stale=True)
        modal = await here.modal(PRIYA)
        body = {"user": PRIYA, "view_id": modal["id"], "values": {"reason": "not today"}}
        await here.page.act("/sandbox/submit", body)
        await here.sees("A-1 denied by .*not today")
        assert here.rows("SELECT state FROM runs") == [("void",)]
        assert await here.writes() == []
        assert here.audit_holds()


async def test_who_is_listed_turns_actions_off_at_once_also_when_slack_hangs(configured: OpenShop) -> None:
    # Of a group that decides nothing here nobody has been read yet.
    async with configured(groups={"platform": PLATFORM}) as here:
        request = await here.request()
        await switch(here, hang={"users.info": 20, "usergroups.users.list": 20})
        begun = time.monotonic()
        assert "Actions are off" in await ops(here, LEE, "actions off the registry is gone")
        assert time.monotonic() - begun < 2  # of which half a second is for Slack's word about Lee
        await here.page.click(PRIYA, request, "Approve", stale=True)
        await switch(here, hang={"users.info": 0, "usergroups.users.list": 0})
        assert "somebody else has to" in await ops(here, LEE, "actions on")
        assert here.rows("SELECT count(*) FROM runs") == [(0,)]
        assert here.audit_holds()


async def test_whom_slack_speaks_against_turned_actions_off_all_the_same_and_it_is_said(configured: OpenShop) -> None:
    async with configured(approvers=["T0SHOP:U0LEE", "T0SHOP:U0GUEST"]) as here:
        await here.request()
        told = await ops(here, GUEST, "actions off")
        assert "Actions are off" in told
        assert "Only full members" in told
        await here.sees("is listed and turned all actions off, but: Only full members")
        assert "Only full members" in await ops(here, GUEST, "actions on")
