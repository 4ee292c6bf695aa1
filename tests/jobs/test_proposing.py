"""What has run may be proposed again when it fires again; what still waits is not asked twice."""

from __future__ import annotations

import json
import re

from bot.jobs.proposing import again_at
from tests.system.town import Json, Town, checkout_alert

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


async def test_what_cannot_be_planned_now_is_planned_when_it_can_for_all_who_need_it(shop: Town) -> None:
    await shop.cannot_be_read()
    await shop.alert(checkout_alert())
    await shop.sees("was not proposed: Cluster prod refused .* It is tried again, as long as INC-1 is open")
    await shop.alert(another_alert())
    await shop.sees("It is tried again, as long as INC-2 is open")
    shop.time_passes(60)
    await shop.until(lambda: shop.rows("SELECT count(*) FROM asks WHERE wanted > 1") == [(2,)], "the second try")
    assert shop.rows("SELECT * FROM approvals") == []
    await shop.heal()
    shop.time_passes(60)
    await shop.request()
    await shop.until(lambda: shop.rows("SELECT count(*) FROM asks WHERE outcome = ''") == [(0,)], "both to be settled")
    (record,) = shop.rows("SELECT record FROM approvals")[0]
    assert json.loads(record)["proposed_by"] == "rules"
    assert json.loads(record)["evidence"] == json.loads(shop.rows("SELECT evidence FROM asks")[0][0]) != []
    for incident in ("INC-1", "INC-2"):
        await shop.is_no_more_on_the_card("was not proposed", of=incident)


async def test_what_could_not_be_planned_is_wanted_no_more_when_its_incident_is_over(shop: Town) -> None:
    await shop.cannot_be_read()
    await shop.alert(checkout_alert())
    await shop.sees("was not proposed")
    await shop.alert(checkout_alert("resolved"))
    await shop.sees("^INC-1 resolved")
    shop.time_passes(60)
    await shop.until(lambda: shop.rows("SELECT 1 FROM asks WHERE outcome = 'INC-1 is over.'"), "the ask to be dropped")
    assert shop.rows("SELECT * FROM approvals") == []


def test_what_passes_is_tried_soon_at_first_and_more_rarely_later() -> None:
    minute = 60_000_000
    assert again_at(5, 5) == 5 + minute
    assert again_at(0, 4 * minute) == 8 * minute
    assert again_at(0, 600 * minute) == 610 * minute


async def test_approvers_are_told_directly_once_and_nobody_else(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()

    async def told() -> bool:
        return bool(await shop.direct(LEE) and await shop.direct("U0PRIYA"))

    await shop.until(told, "both approvers to be told")
    (text,) = await shop.direct(LEE)
    assert "A-1 waits for you: Roll back a Deployment: shop/checkout (INC-1), in cluster PROD" in text
    assert await shop.direct("U0DANA") == []


def another_alert(status: str = "firing", *, number: int = 2) -> Json:
    """Another incident about the same checkout."""
    first = checkout_alert(status)
    (alert,) = first["alerts"]
    return {**first, "groupKey": f"another-{number}", "alerts": [{**alert, "fingerprint": f"{number:016x}"}]}


async def test_what_two_incidents_need_is_asked_once_and_both_learn_the_result(shop: Town) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    await shop.alert(another_alert())
    said = await shop.sees("A-1 asks for exactly this already: .* It is decided there, once for both")
    assert f"/p{request['ts'].replace('.', '')}" in str(said["blocks"])

    async def on_the_card() -> bool:
        return "asked in INC-1" in str((await shop.sees("^INC-2"))["blocks"])

    await shop.until(on_the_card, "the card of INC-2 to say where it is asked")
    assert shop.rows("SELECT number FROM approvals") == [(1,)]
    await shop.page.click(LEE, request, "Approve")
    await shop.sees("A-1 helped")
    await shop.sees("A-1, asked in INC-1: it helped")
    assert len(await shop.writes()) == 1
    assert shop.audit_holds()


async def test_who_still_needs_what_another_incident_withdrew_asks_for_it(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()
    for number in (2, 3):
        await shop.alert(another_alert(number=number))
        await shop.until(lambda number=number: shop.rows("SELECT 1 FROM joined")[number - 2 :], "it to join")
    await shop.alert(checkout_alert("resolved"))
    request = await shop.request(2)
    assert re.search("INC-[23]", str(request["blocks"]))
    await shop.until(
        lambda: shop.rows("SELECT 1 FROM joined JOIN approvals ON approval_id = id WHERE number = 2"),
        "the other to join A-2",
    )
    assert shop.rows("SELECT number, state FROM approvals ORDER BY number") == [(1, "void"), (2, "pending")]
