"""Break-glass, end to end: released without its quorum, in sight of all, and reviewed by somebody else."""

from __future__ import annotations

import json
from typing import Any

from tests.system.town import DANA, GUEST, LEE, PRIYA, OpenShop, Town

TWO = {
    "approvers": [],
    "groups": {"oncall": {"users": [f"T0SHOP:{LEE}", f"T0SHOP:{PRIYA}"]}},
    "approvals": {risk: {"groups": {"oncall": 2}} for risk in ("low", "medium", "high", "critical")},
}
"""Whatever the risk, it takes two of the two who are on call."""
FREEZE = {"kind": "deny", "cron": "* * * * *", "duration": "1h", "why": "Black Friday", "clusters": ["prod"]}


def glass(*users: str, **more: Any) -> dict[str, Any]:
    return TWO | {"break_glass": {"users": [f"T0SHOP:{user}" for user in users]} | more}


async def fills_in(here: Town, user: str, reason: str) -> Any:
    """Fill in the form that this person has open."""
    form = await here.modal(user)
    body = {"user": user, "view_id": form["id"], "values": {"reason": reason}}
    return await here.page.act("/sandbox/submit", body)


async def breaks(here: Town, user: str, request: Any, reason: str = "the shop is down") -> None:
    await here.choose(user, request, "Break the glass")
    await fills_in(here, user, reason)


async def alarm(here: Town) -> Any:
    """The message of its own in the channel, which is in no thread."""

    async def found() -> Any:
        messages = await here.page.messages(LEE)
        return next((each for each in messages if each["text"].startswith("🚨 The glass was broken for A-1")), None)

    return await here.until(found, "the message that the glass was broken")


async def unreviewed(here: Town) -> str:
    async with here.session.get(f"{here.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    return next(line for line in lines if line.startswith("signoff_break_glass_unreviewed "))


async def test_a_listed_person_releases_it_alone_and_an_approver_reviews_it(configured: OpenShop) -> None:
    async with configured(**glass(DANA)) as here:
        request = await here.request()
        await here.choose(PRIYA, request, "Break the glass")
        await here.sees("may not break the glass for A-1", user=PRIYA)
        await here.page.click(LEE, request, "Approve")
        await here.sees("A-1: approved by .*1 of 2")
        assert await here.writes() == []
        await breaks(here, DANA, request)
        await here.sees("A-1 starts now by break-glass")
        await here.sees("A-1 helped")
        assert len(await here.writes()) == 1

        said = await alarm(here)
        assert "not yet reviewed" in said["text"]
        assert "with 1 of 2 approvals: the shop is down" in json.dumps(said["blocks"], ensure_ascii=False)
        told = here.rows("SELECT recipient FROM outbox WHERE key LIKE 'alarm:%' ORDER BY recipient")
        assert told == [(LEE,), (PRIYA,)]
        assert "1 released by break-glass and not yet reviewed" in await here.ops("approvals")
        assert "not yet reviewed" in await here.ops("status A-1")
        assert await unreviewed(here) == "signoff_break_glass_unreviewed 1.0"

        await here.page.click(DANA, said, "Review")
        await here.sees("broke the glass for A-1, so somebody else must review it", user=DANA)
        await here.page.click(GUEST, said, "Review")
        await here.sees("is a guest in this workspace", user=GUEST)
        await here.page.click(PRIYA, said, "Review")
        await fills_in(here, PRIYA, "right, nobody else answered")
        await here.sees("reviewed the break-glass for A-1: right, nobody else answered")
        await here.sees("The glass was broken for A-1, and reviewed by")
        assert "Nothing waits for sign-off." in await here.ops("approvals")
        assert await unreviewed(here) == "signoff_break_glass_unreviewed 0.0"

        kinds = [kind for (kind,) in here.rows("SELECT kind FROM audit WHERE kind LIKE 'break_glass%' ORDER BY seq")]
        assert kinds == ["break_glass.approved", "break_glass.reviewed"]
        ((actor, data),) = here.rows("SELECT actor, data FROM audit WHERE kind = 'break_glass.approved'")
        assert actor == f"T0SHOP:{DANA}"
        assert json.loads(data)["reason"] == "the shop is down"
        assert here.audit_holds()


async def test_what_somebody_else_closed_is_closed_once(configured: OpenShop) -> None:
    async with configured(**glass(DANA)) as here:
        await breaks(here, DANA, await here.request())
        await here.sees("A-1 helped")
        said = await alarm(here)
        for user in (LEE, PRIYA):
            await here.page.click(user, said, "Review", stale=True)
            await here.modal(user)
        await fills_in(here, LEE, "right")
        await here.sees("reviewed the break-glass for A-1: right")
        await fills_in(here, PRIYA, "wrong")
        await here.sees("A-1 was reviewed already by", user=PRIYA)
        reviews = here.rows("SELECT state, reason FROM votes WHERE decision = 'reviewed' ORDER BY received_at")
        assert reviews == [("counted", "right"), ("refused", "wrong")]
        assert await here.count("and reviewed by") == 1


async def test_who_asked_for_it_may_break_the_glass_and_it_is_said(configured: OpenShop) -> None:
    async with configured(**glass(LEE)) as here:
        await here.request()
        text = "/ops run restart-deployment INC-1"
        await here.page.act("/sandbox/command", {"user": LEE, "channel": "C0INCIDENTS", "text": text, "wait": 10})
        form = await here.modal(LEE)
        given = {"p.namespace": "shop", "p.deployment": "cart"}
        await here.page.act("/sandbox/submit", {"user": LEE, "view_id": form["id"], "values": given})
        mine = await here.request(2)
        await here.page.click(LEE, mine, "Approve", stale=True)
        await here.sees("asked for this, so somebody else must approve it")
        await breaks(here, LEE, mine, "nobody answers and the shop is down")
        await here.sees("broke the glass for their own request A-2, with 0 of 2 approvals")
        await here.sees("A-2 helped")
        assert len(await here.writes()) == 1


async def test_it_is_denied_until_the_run_starts_and_stays_to_be_reviewed(configured: OpenShop) -> None:
    async with configured(**glass(DANA)) as here:
        request = await here.request()
        # The target cannot be read, so the run is tried again and again and does not begin.
        unread = {"action": "drop", "verb": "get", "resource": "deployments", "name": "checkout", "identity": "runner"}
        await here.control("faults", unread | {"times": 1000})
        await breaks(here, DANA, request)
        await here.sees("A-1 starts now by break-glass")
        await here.page.click(PRIYA, request, "Deny", stale=True)
        await fills_in(here, PRIYA, "it is no emergency")
        await here.sees("A-1 denied by .*it is no emergency")
        await here.until(lambda: here.rows("SELECT state FROM runs") == [("void",)], "the run to be void")
        assert await here.writes() == []
        assert "1 released by break-glass and not yet reviewed" in await here.ops("approvals")
        assert here.audit_holds()


async def test_what_is_taken_back_before_it_starts_releases_nothing_and_stays_to_be_reviewed(
    configured: OpenShop,
) -> None:
    async with configured(**glass(DANA)) as here:
        request = await here.request()
        await here.cannot_be_read()
        await breaks(here, DANA, request)
        await here.sees("A-1 starts now by break-glass")

        async def offered() -> Any:
            card = await here.request()
            return card if "Take my approval back" in json.dumps(card["blocks"]) else None

        await here.choose(DANA, await here.until(offered, "the way back on the card"), "Take my approval back")
        await here.sees("took their approval of A-1 back")
        assert here.rows("SELECT state FROM approvals WHERE number = 1") == [("void",)]
        assert here.rows("SELECT state FROM votes WHERE decision = 'break'") == [("revoked",)]
        # It is asked for anew as soon as it can be planned.
        await here.sees("was not proposed: Cluster prod refused.* It is tried again, as long as INC-1 is open")
        await here.heal()
        here.time_passes(60)
        await here.request(2)
        await here.is_no_more_on_the_card("was not proposed")
        assert here.rows("SELECT state FROM runs") == [("void",)]
        assert await here.writes() == []
        assert "1 released by break-glass and not yet reviewed" in await here.ops("approvals")
        assert here.audit_holds()


async def test_actions_that_are_off_stay_off(configured: OpenShop) -> None:
    async with configured(**glass(DANA)) as here:
        request = await here.request()
        assert "Actions are off" in await here.ops("actions off the registry is gone", user=PRIYA)
        await here.choose(DANA, request, "Break the glass")
        await here.sees("^🚫 .*the registry is gone", user=DANA)
        assert here.rows("SELECT state FROM approvals") == [("pending",)]
        assert here.rows("SELECT * FROM runs") == []


async def test_a_freeze_that_is_passed_is_in_the_audit(configured: OpenShop) -> None:
    async with configured(**glass(DANA, through_windows=True), windows=[FREEZE]) as here:
        request = await here.request()
        await here.page.click(LEE, request, "Approve", stale=True)
        await here.sees("^🚫 A change freeze holds: Black Friday", user=LEE)
        await breaks(here, DANA, request)
        await here.sees("A-1 helped")
        ((data,),) = here.rows("SELECT data FROM audit WHERE kind = 'break_glass.approved'")
        assert json.loads(data)["window"].startswith("A change freeze holds: Black Friday")


async def test_who_is_taken_from_the_list_before_it_starts_releases_nothing(configured: OpenShop) -> None:
    async with configured(**glass(DANA)) as here:
        request = await here.request()
        unread = {"action": "drop", "verb": "get", "resource": "deployments", "name": "checkout", "identity": "runner"}
        await here.control("faults", unread | {"times": 1000})
        await breaks(here, DANA, request)
        await here.sees("A-1 starts now by break-glass")
        here.kill()
        here.configure(**glass(PRIYA))
        await here.serve(ready=False)
        await here.sees("A-1 is void.*policy that says who must approve has changed")
        assert await here.writes() == []


async def test_a_broken_glass_that_is_written_into_the_tables_starts_nothing(configured: OpenShop) -> None:
    """A9, forged: a vote that breaks the glass, written without a key, releases nothing and is reported."""
    async with configured(**glass(DANA)) as here:
        await here.request()
        ((approval_id, digest, at),) = here.rows("SELECT id, digest, created_at FROM approvals")
        values = ("e" * 32, approval_id, f"T0SHOP:{DANA}", "dana", "break", digest, "because", "C0INCIDENTS", at + 1)
        here.alter(
            "INSERT INTO votes (id, approval_id, person, person_name, decision, digest, reason, channel, received_at,"
            " state, verdict, wanted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'received', '', 1)",
            *values,
        )
        await here.until(lambda: here.rows("SELECT 1 FROM quarantine WHERE table_name = 'votes'"), "the report")
        assert here.rows("SELECT state FROM approvals") == [("pending",)]
        assert here.rows("SELECT * FROM runs") == []
        assert await here.writes() == []
