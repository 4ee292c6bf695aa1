"""A lost answer is read back, now and when nothing can be under way any more: what shows needs nobody's word."""

from __future__ import annotations

import json

from bot.runbooks.execute import REQUEST_LIMIT_SECONDS
from tests.jobs.test_calling import refused_again_and_again
from tests.system.town import LEE, PRIYA, Town, checkout_alert


async def test_a_lost_answer_is_read_back_and_never_repeated(shop: Town) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    await shop.lose("after")
    await shop.page.click(LEE, request, "Approve")
    await shop.sees("A-1 helped")
    assert len(await shop.writes()) == 1


async def test_a_request_that_was_just_sent_again_may_still_be_under_way(closed_shop: Town) -> None:
    """What counts is when the last attempt was sent, not the first."""
    here = closed_shop
    await refused_again_and_again(here, times=4)
    tried = "SELECT count(*) FROM audit WHERE kind = 'step.retried'"
    await here.until(lambda: here.rows(tried) != [(0,)], "the call to be tried again")
    here.time_passes(300.0)
    await here.lose("before")
    await here.sees("A-1: did this take effect")
    assert here.rows("SELECT state FROM run_steps") == [("unknown",)]
    assert await here.writes() == []


async def test_what_shows_by_itself_that_nothing_was_changed_needs_nobodys_word(shop: Town) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    await shop.lose("before")
    await shop.page.click(LEE, request, "Approve")
    question = await shop.sees("did this take effect")
    assert "Signoff looks again by" in json.dumps(question)
    await shop.page.click(LEE, question, "It did not")
    await shop.sees("What was sent may still take effect. Look once more after")
    shop.time_passes(REQUEST_LIMIT_SECONDS + 1)
    await shop.sees(r"A-1 failed.*At \d\d:\d\d UTC .* shows that nothing was changed")
    assert shop.rows("SELECT state FROM run_steps") == [("failed",)]
    assert shop.rows("SELECT * FROM locks") == []
    assert await shop.writes() == []
    closed = await shop.sees("A-1: At .* nothing was changed")
    assert "It took effect" not in json.dumps(closed["blocks"])
    await shop.page.click(LEE, closed, "Run it again…")
    anew = await shop.request(2)
    await shop.page.click(PRIYA, anew, "Approve")
    await shop.sees("A-2 helped")
    assert len(await shop.writes()) == 1
    assert shop.audit_holds()


async def test_what_arrives_late_is_seen_when_it_is_looked_at_again_and_the_run_goes_on(shop: Town) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    await shop.arrive_late(2)
    await shop.page.click(LEE, request, "Approve")
    await shop.sees("did this take effect")
    await shop.until(shop.writes, "what was sent to arrive")
    shop.time_passes(REQUEST_LIMIT_SECONDS + 1)
    await shop.sees("A-1 helped")
    assert len(await shop.writes()) == 1
    assert shop.audit_holds()
