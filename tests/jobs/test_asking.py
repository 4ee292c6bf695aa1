"""What a person asks for: filled in, planned, shown, and signed off by somebody else."""

from __future__ import annotations

import json
from typing import Any

from tests.system.town import Town, checkout_alert

LEE, PRIYA, DANA, GUEST = "U0LEE", "U0PRIYA", "U0DANA", "U0GUEST"


async def form(here: Town, user: str, text: str) -> dict[str, Any]:
    """Type /ops run and return the form that opens."""
    body = {"user": user, "channel": "C0INCIDENTS", "text": f"/ops run {text}", "wait": 10}
    await here.page.act("/sandbox/command", body)
    return await here.modal(user)


async def fill(here: Town, user: str, view: dict[str, Any], *, behalf: str = "", **values: str) -> dict[str, Any]:
    """Send the form with these parameters."""
    given = {f"p.{name}": value for name, value in values.items()} | ({"behalf": behalf} if behalf else {})
    body = {"user": user, "view_id": view["id"], "values": given}
    return dict(await here.page.act("/sandbox/submit", body))


async def change(here: Town, user: str, message: Any) -> dict[str, Any]:
    """Choose to change a request's parameters and return what is seen."""
    (menu,) = [each for block in message["blocks"] if block["type"] == "actions" for each in block["elements"][-1:]]
    (option,) = [each for each in menu["options"] if each["text"]["text"].startswith("Change its parameters")]
    body = {"user": user, "channel": "C0INCIDENTS", "ts": message["ts"], "action_id": menu["action_id"]}
    return dict(await here.page.act("/sandbox/click", body | {"value": option["value"], "stale": True, "wait": 10}))


async def test_what_a_person_asks_for_needs_another_person(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()
    view = await form(shop, LEE, "restart-deployment INC-1")
    wrong = await fill(shop, LEE, view, namespace="shop", deployment="NO SUCH")
    assert "does not match" in wrong["errors"]["p.deployment"]
    wrong = await fill(shop, LEE, view, namespace="shop", deployment="ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a")
    assert "looks like a secret" in wrong["errors"]["p.deployment"]
    assert shop.rows("SELECT count(*) FROM asks") == [(0,)]
    assert (await fill(shop, LEE, view, namespace="shop", deployment="cart"))["modals"] == []
    request = await shop.request(2)
    await shop.page.click(LEE, request, "Approve", stale=True)
    await shop.sees("asked for this, so somebody else must approve it", user=LEE)
    await shop.page.click(PRIYA, request, "Approve", stale=True)
    await shop.sees("A-2 helped")
    assert len(await shop.writes()) == 1
    assert shop.rows("SELECT requester, state FROM approvals WHERE number = 2") == [("T0SHOP:U0LEE", "approved")]
    assert shop.audit_holds()


async def test_a_guest_asks_for_nothing_and_what_cannot_be_planned_is_said(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()
    await fill(shop, GUEST, await form(shop, GUEST, "restart-deployment INC-1"), namespace="shop", deployment="cart")
    await shop.sees("which was not asked for: .* is a guest")
    await fill(shop, DANA, await form(shop, DANA, "restart-deployment INC-1"), namespace="shop", deployment="nothing")
    await shop.sees("wants Restart a Deployment, which was not asked for: .*nothing")
    assert shop.rows("SELECT count(*) FROM approvals") == [(1,)]


async def test_a_changed_request_is_a_new_one_without_votes_and_the_old_one_says_so(shop: Town) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    refused = await change(shop, DANA, request)
    assert refused["modals"] == []
    await shop.sees("is not on the list of approvers", user=DANA)
    await change(shop, LEE, request)
    view = await shop.modal(LEE)
    await fill(shop, LEE, view, namespace="shop", deployment="checkout", revision="0")
    await shop.sees("which was not asked for: nothing in it was changed")
    await change(shop, LEE, request)
    view = await shop.modal(LEE)
    await fill(shop, LEE, view, namespace="shop", deployment="checkout", revision="1")
    await shop.sees("A-1 is replaced by A-2")
    newer = await shop.request(2)
    await shop.page.click(PRIYA, request, "Approve", stale=True)
    await shop.sees("A-1 .*a newer request took its place|cannot be approved: a newer request", user=PRIYA)
    assert shop.rows("SELECT number, state FROM approvals ORDER BY number") == [(1, "superseded"), (2, "pending")]
    assert shop.rows("SELECT count(*) FROM votes WHERE state = 'counted'") == [(0,)]
    await shop.page.click(LEE, newer, "Approve", stale=True)
    await shop.sees("asked for this, so somebody else must approve it", user=LEE)
    assert await shop.writes() == []
    await shop.page.click(PRIYA, newer, "Approve", stale=True)
    await shop.until(lambda: shop.rows("SELECT 1 FROM run_steps WHERE state = 'done'"), "the changed request to run")
    assert shop.audit_holds()


async def test_what_the_incident_would_say_a_person_must_say(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()
    view = await form(shop, LEE, "silence-alerts INC-1")
    refused = await fill(shop, LEE, view, alertname="CheckoutErrors", minutes="30")
    assert "p.namespace" in refused["errors"]
    assert shop.rows("SELECT count(*) FROM asks") == [(0,)]


async def test_who_asks_is_told_when_planning_fails_whatever_the_error(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await change(shop, LEE, await shop.request())
    view = await shop.modal(LEE)
    shop.alter("UPDATE approvals SET state = 'damaged'")
    await fill(shop, LEE, view, namespace="shop", deployment="checkout", revision="1")
    await shop.sees("which was not asked for: planning it failed 3 times")
    await shop.until(lambda: shop.rows("SELECT 1 FROM asks WHERE done = wanted"), "the ask to be done with")
    assert shop.rows("SELECT outcome LIKE 'planning it failed%' FROM asks") == [(1,)]


async def test_after_an_incident_is_over_its_ways_back_can_still_be_asked_for(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()
    await shop.alert(checkout_alert("resolved"))
    await shop.sees("A-1 .*void")
    for text in ("restart-deployment INC-1", "restart-deployment"):
        view = await form(shop, LEE, text)
        assert "Run a runbook" in str(view)
    await fill(shop, LEE, view, namespace="shop", deployment="cart")
    await shop.page.click(PRIYA, await shop.request(2), "Approve", stale=True)
    await shop.sees("A-2 helped")
    assert shop.audit_holds()


async def test_who_asks_for_what_waits_already_is_told_which_request_it_is(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()
    for person in (LEE, DANA):
        view = await form(shop, person, "restart-deployment INC-1")
        assert (await fill(shop, person, view, namespace="shop", deployment="cart"))["modals"] == []
        await shop.request(2)
    await shop.sees("which was not asked for: A-2 asks for exactly this already")
    assert shop.rows("SELECT count(*) FROM approvals") == [(2,)]


async def test_what_was_just_done_for_another_incident_is_not_asked_for_anew(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()
    await shop.alert(checkout_alert(deployment="cart"))
    await shop.sees("^INC-2")
    for number in (1, 2):
        view = await form(shop, LEE, f"restart-deployment INC-{number}")
        await fill(shop, LEE, view, namespace="shop", deployment="cart")
        await shop.until(
            lambda number=number: shop.rows("SELECT 1 FROM asks WHERE outcome LIKE 'A-% asks for it.'")[number - 1 :],
            "the request",
        )
    asked = shop.rows("SELECT number FROM approvals WHERE requester IS NOT NULL ORDER BY number")
    (first,), (second,) = asked
    await shop.page.click(PRIYA, await shop.request(first), "Approve", stale=True)
    await shop.sees(f"A-{first} helped")
    await shop.page.click(PRIYA, await shop.request(second), "Approve", stale=True)
    await shop.sees(f"was not proposed: A-{first} has done exactly this meanwhile")
    assert len(await shop.writes()) == 1


def bound(here: Town, number: int) -> tuple[str, str]:
    """Who asked, and on whose behalf, as the plan binds it."""
    record = json.loads(here.rows("SELECT record FROM approvals WHERE number = ?", number)[0][0])
    return record["requester"]["user_id"], record["on_behalf_of"]["user_id"]


async def test_on_whose_behalf_it_is_asked_for_is_bound_shown_and_cannot_approve_it(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()
    view = await form(shop, DANA, "restart-deployment INC-1")
    assert (await fill(shop, DANA, view, behalf=LEE, namespace="shop", deployment="cart"))["modals"] == []
    request = await shop.request(2)
    assert "on behalf of lee (U0LEE)" in json.dumps(request["blocks"])
    assert bound(shop, 2) == (DANA, LEE)
    await shop.page.click(LEE, request, "Approve", stale=True)
    await shop.sees("was asked for on behalf of [Ll]ee.*, so somebody else must approve it", user=LEE)
    told = shop.rows("SELECT data FROM audit WHERE kind = 'approval.requested' AND subject = 'A-2'")
    assert json.loads(told[0][0])["on_behalf_of"] == f"T0SHOP:{LEE}"
    # Who changes its parameters says anew for whom it is, and finds it filled in.
    await change(shop, PRIYA, request)
    view = await shop.modal(PRIYA)
    (picker,) = [block["element"] for block in view["blocks"] if block.get("block_id") == "behalf"]
    assert picker["initial_user"] == LEE
    await fill(shop, PRIYA, view, behalf=DANA, namespace="shop", deployment="cart")
    await shop.sees("A-2 is replaced by A-3")
    assert bound(shop, 3) == (PRIYA, DANA)
    await shop.page.click(LEE, await shop.request(3), "Approve", stale=True)
    await shop.sees("A-3 helped")
    assert shop.audit_holds()
