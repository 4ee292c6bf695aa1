"""A step in doubt makes its run UNKNOWN, until a person says what became of it; then the run goes on, or ends."""

from __future__ import annotations

import json
import re

from bot.runbooks.execute import REQUEST_LIMIT_SECONDS
from tests.jobs.test_asking import bound, fill, form
from tests.system.town import DANA, LEE, PRIYA, WITHOUT_CLUSTER, Json, Town, checkout_alert


async def asked_to_the_end(shop: Town, deployment: str = "checkout") -> Json:
    """Let the time be over in which what is in doubt could take effect, and its target not tell. Returns what asks."""
    await shop.sees("did this take effect")
    await shop.cannot_be_read(deployment)
    shop.time_passes(REQUEST_LIMIT_SECONDS + 1)
    return await shop.sees("did this take effect.*cannot be read")


async def test_an_unreachable_answer_makes_the_run_unknown_and_asks(shop: Town) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    await shop.lose("before")
    await shop.page.click(LEE, request, "Approve")
    await shop.sees("did this take effect.*deployment-rollback")
    assert shop.rows("SELECT state FROM runs") == [("unknown",)]
    question = await asked_to_the_end(shop)
    await shop.page.click(DANA, question, "It did not")
    await shop.sees("not on the list", user=DANA)
    assert shop.rows("SELECT state FROM runs") == [("unknown",)]
    await shop.page.click(LEE, question, "It did not")
    await shop.until(lambda: shop.rows("SELECT state FROM runs") == [("failed",)], "the run to end")
    assert await shop.writes() == []
    assert shop.audit_holds()


async def test_who_came_in_the_place_of_all_who_left_answers_and_the_lock_is_let_go(closed_shop: Town) -> None:
    closed_shop.configure(approvers=[f"T0SHOP:{LEE}"])
    await closed_shop.serve()
    await closed_shop.alert(checkout_alert())
    request = await closed_shop.request()
    await closed_shop.lose("before")
    await closed_shop.page.click(LEE, request, "Approve")
    await closed_shop.sees("did this take effect")
    closed_shop.stop()
    closed_shop.configure(approvers=[f"T0SHOP:{PRIYA}"])
    await closed_shop.serve()
    question = await asked_to_the_end(closed_shop)
    await closed_shop.page.click(LEE, question, "It did not")
    await closed_shop.sees("you are in no group of theirs")
    assert closed_shop.rows("SELECT count(*) FROM locks") == [(1,)]
    await closed_shop.page.click(PRIYA, question, "It did not")
    await closed_shop.until(lambda: closed_shop.rows("SELECT state FROM runs") == [("failed",)], "the run to end")
    assert closed_shop.rows("SELECT * FROM locks") == []
    assert closed_shop.audit_holds()


async def test_what_did_not_happen_can_be_asked_for_again_and_another_person_approves_it(shop: Town) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    await shop.lose("before")
    await shop.page.click(LEE, request, "Approve")
    question = await shop.sees("did this take effect")
    assert re.search(r"At \d\d:\d\d UTC.* Deployment shop/checkout reads ", json.dumps(question))
    question = await asked_to_the_end(shop)
    await shop.heal()
    await shop.page.click(LEE, question, "Run it again…")
    anew = await shop.request(2)
    assert shop.rows("SELECT state FROM runs") == [("failed",)]
    assert await shop.writes() == []
    await shop.page.click(LEE, anew, "Approve")
    await shop.sees("asked for", user=LEE)
    await shop.page.click(PRIYA, anew, "Approve")
    await shop.sees(r"A-2 helped")
    assert len(await shop.writes()) == 1
    assert shop.audit_holds()


async def test_for_whom_it_is_done_is_kept_when_it_is_asked_for_again(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()
    view = await form(shop, DANA, "restart-deployment INC-1")
    await fill(shop, DANA, view, behalf=LEE, namespace="shop", deployment="cart")
    request = await shop.request(2)
    call = {"verb": "patch", "resource": "deployments", "name": "cart", "dry_run": False}
    await shop.control("faults", {"action": "drop", **call, "when": "before"})
    await shop.page.click(PRIYA, request, "Approve", stale=True)
    question = await asked_to_the_end(shop, "cart")
    await shop.heal()
    await shop.page.click(PRIYA, question, "Run it again…")
    anew = await shop.request(3)
    assert bound(shop, 3) == (PRIYA, LEE)
    await shop.page.click(LEE, anew, "Approve", stale=True)
    await shop.sees("was asked for on behalf of [Ll]ee.*, so somebody else must approve it", user=LEE)


async def test_a_cluster_that_is_gone_after_a_call_was_begun_is_asked_about(closed_shop: Town) -> None:
    await closed_shop.interrupted("after:step.started")
    closed_shop.configure(**WITHOUT_CLUSTER)
    await closed_shop.serve()
    question = await closed_shop.sees("did this take effect")
    assert "no longer configured" in question["text"]
    await closed_shop.page.click(LEE, question, "It took effect")
    await closed_shop.sees("A-1 ran; whether it helped cannot be told.*no longer configured")
    assert closed_shop.rows("SELECT state FROM runs") == [("inconclusive",)]


async def test_a_question_and_a_request_that_were_deleted_are_asked_again_by_looking_for_them(shop: Town) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    await shop.lose("before")
    await shop.page.click(LEE, request, "Approve")
    question = await asked_to_the_end(shop)
    await shop.until(shop.settled, "all to be said")
    for message in (question, request):
        await shop.delete(message)
    assert await shop.count("did this take effect") == 0
    await shop.ops("status A-1")
    again = await shop.sees("did this take effect")
    await shop.sees("^A-1 unknown")
    await shop.page.click(LEE, again, "It did not")
    await shop.until(lambda: shop.rows("SELECT state FROM runs") == [("failed",)], "the run to end")
