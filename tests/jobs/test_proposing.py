"""What has run may be proposed again when it fires again; what still waits is not asked twice."""

from __future__ import annotations

from tests.system.town import Town, checkout_alert

LEE = "U0LEE"
AGAIN = "2026-11-21T10:45:00Z"


async def fires_again(shop: Town) -> None:
    await shop.alert(checkout_alert("resolved"))
    await shop.sees("^INC-1 resolved")
    await shop.alert(checkout_alert(starts_at=AGAIN))
    await shop.sees("INC-1 fires again")


async def test_a_finished_action_is_proposed_again_when_it_fires_again(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.page.click(LEE, await shop.request(), "Approve")
    await shop.sees("A-1 helped")
    await shop.control("play", {"cluster": "prod", "scenario": "break_checkout"})
    await fires_again(shop)
    await shop.page.click(LEE, await shop.request(2), "Approve")
    await shop.sees("A-2 helped")
    assert len(await shop.writes()) == 2


async def test_a_request_that_waits_is_not_made_twice(closed_shop: Town) -> None:
    here = closed_shop
    await here.serve(killed_at="after:approval.requested")
    await here.alert(checkout_alert())
    await here.died()
    await here.serve()
    await here.until(lambda: here.rows("SELECT 1 FROM incidents WHERE done = wanted"), "the investigation to end")
    assert here.rows("SELECT number, state FROM approvals") == [(1, "pending")]


async def test_approvers_are_told_directly_once_and_nobody_else(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()

    async def told() -> bool:
        return bool(await shop.direct(LEE) and await shop.direct("U0PRIYA"))

    await shop.until(told, "both approvers to be told")
    (text,) = await shop.direct(LEE)
    assert "A-1 waits for you: Roll back a Deployment: shop/checkout (INC-1), in cluster PROD" in text
    assert await shop.direct("U0DANA") == []
