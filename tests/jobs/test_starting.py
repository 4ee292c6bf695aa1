"""A run does not start when what its approval rests on no longer holds, or while another holds its target."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from sqlalchemy import Connection

from bot.domain.approval import Person, Vote
from bot.domain.keys import Keys
from bot.runbooks.execute import REQUEST_LIMIT_SECONDS
from bot.store import approvals, clock, work
from bot.store.database import Database
from tests.jobs.test_asking import fill, form
from tests.system.town import LEE, PRIYA, WITHOUT_CLUSTER, WITHOUT_RUNNER, Json, Town, checkout_alert

DAY = 86_400.0


async def the_request_expires(here: Town) -> None:
    here.time_passes(DAY)


async def the_approver_leaves(here: Town) -> None:
    await here.page.act("/sandbox/switches", {"deactivate": {"user": LEE}})


async def the_approver_is_listed_no_more(here: Town) -> None:
    here.configure(approvers=[f"T0SHOP:{PRIYA}"])


async def more_must_approve(here: Town) -> None:
    here.configure(approvals={key: {"groups": {"approvers": 2}} for key in ("low", "medium", "high", "critical")})


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (the_approver_leaves, "only 0 may still approve"),
        (the_approver_is_listed_no_more, "The policy that says who must approve has changed"),
        (more_must_approve, "The policy that says who must approve has changed"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_what_no_longer_holds_at_the_first_call_voids_the_approval(
    closed_shop: Town, meanwhile: Callable[[Town], Coroutine[Any, Any, None]], why: str
) -> None:
    await closed_shop.interrupted("after:run.started")
    await meanwhile(closed_shop)
    await closed_shop.serve()
    said = await closed_shop.sees("A-1 is void, nothing ran", user=PRIYA)
    assert why in said["text"]
    assert closed_shop.rows("SELECT state FROM runs") == [("void",)]
    assert closed_shop.rows("SELECT * FROM run_steps") == []
    assert await closed_shop.writes() == []


async def test_who_may_is_asked_once_more_where_slack_took_too_long_to_say_it(closed_shop: Town) -> None:
    here = closed_shop
    await here.interrupted("after:run.started")
    await here.page.act("/sandbox/switches", {"hang": {"users.info": 4}})
    await here.serve()

    async def asked() -> bool:
        async with here.session.get(f"{here.urls['slack']}/sandbox/log?since=0") as response:
            return "users.info: hangs" in await response.text()

    await here.until(asked, "Slack to be asked who may")
    here.time_passes(60)
    await here.sees("A-1 is approved and waits. Slack took too long to say who may approve it")
    assert here.rows("SELECT * FROM run_steps") == []
    await here.page.act("/sandbox/switches", {"hang": {"users.info": 0}})
    here.time_passes(60)
    await here.sees("A-1 helped")
    assert len(await here.writes()) == 1


async def test_what_was_approved_and_could_not_start_in_time_has_expired_and_is_not_asked_for_anew(
    closed_shop: Town,
) -> None:
    await closed_shop.interrupted("after:run.started")
    await the_request_expires(closed_shop)
    await closed_shop.serve()
    await closed_shop.sees("A-1 expired at .*it was approved and could not start until then")
    await closed_shop.sees("^A-1 expired: ")
    assert closed_shop.rows("SELECT state FROM runs") == [("void",)]
    await closed_shop.until(lambda: closed_shop.rows("SELECT 1 FROM runs WHERE done = wanted"), "the story to end")
    assert closed_shop.rows("SELECT state FROM approvals") == [("expired",)]
    assert await closed_shop.writes() == []
    assert closed_shop.audit_holds()


async def test_a_channel_that_became_shared_is_met_at_the_first_call_and_holds_no_denial_up(closed_shop: Town) -> None:
    """The run is going on already and has made no call: it goes back, lets go of its target, and says what it waits
    for; until it begins it can be denied."""
    await closed_shop.interrupted("after:run.started")
    await shared(closed_shop, "invite")
    await closed_shop.serve()
    await closed_shop.sees("A-1 is approved and waits. Its channel is shared with another workspace")
    assert closed_shop.rows("SELECT state FROM runs") == [("starting",)]
    assert closed_shop.rows("SELECT * FROM locks") == []
    assert closed_shop.rows("SELECT * FROM run_steps") == []
    await closed_shop.page.click(PRIYA, await closed_shop.request(), "Deny")
    form = await closed_shop.modal(PRIYA)
    block = next(block["block_id"] for block in form["blocks"] if block["type"] == "input")
    given = {"user": PRIYA, "view_id": form["id"], "values": {block: "who is that?"}}
    await closed_shop.page.act("/sandbox/submit", given)
    await closed_shop.sees("A-1 denied by")
    assert closed_shop.rows("SELECT state FROM runs") == [("void",)]
    assert await closed_shop.writes() == []
    assert closed_shop.audit_holds()


async def test_a_run_that_was_put_back_begins_once_nothing_holds_it(closed_shop: Town) -> None:
    await closed_shop.interrupted("after:run.started")
    await shared(closed_shop, "invite")
    await closed_shop.serve()
    await closed_shop.sees("A-1 is approved and waits")
    await shared(closed_shop, "remove")
    await closed_shop.sees("A-1 helped")
    assert len(await closed_shop.writes()) == 1
    assert closed_shop.audit_holds()


async def shared(here: Town, how: str) -> None:
    """Somebody of another organisation comes into the channel, or leaves it."""
    await here.page.act("/sandbox/switches", {how: {"channel": "C0INCIDENTS", "user": "U0EXT"}})


@pytest.mark.parametrize("without", [WITHOUT_RUNNER, WITHOUT_CLUSTER], ids=["no runner", "no cluster"])
async def test_a_runner_that_is_gone_before_the_first_call_voids_the_approval(closed_shop: Town, without: Json) -> None:
    await closed_shop.interrupted("after:run.started")
    closed_shop.configure(**without)
    await closed_shop.serve()
    await closed_shop.sees("A-1 is void, nothing ran. The cluster is no longer configured with a runner")
    assert closed_shop.rows("SELECT state FROM runs") == [("void",)]
    assert await closed_shop.writes() == []


async def asked_too(shop: Town) -> Json:
    """Let Priya ask for another change of the same target, and return the message with her request, A-2."""
    view = await form(shop, PRIYA, "restart-deployment INC-1")
    await fill(shop, PRIYA, view, namespace="shop", deployment="checkout")
    return await shop.request(2)


async def test_a_run_waits_for_the_one_that_holds_its_target_and_starts_when_that_ends(shop: Town) -> None:
    await shop.alert(checkout_alert())
    first = await shop.request()
    second = await asked_too(shop)
    await shop.lose("before")
    await shop.page.click(LEE, first, "Approve")
    await shop.sees("A-1: did this take effect")
    await shop.page.click(LEE, second, "Approve", stale=True)
    await shop.sees("A-2 is approved and waits. It waits for A-1")
    assert shop.rows("SELECT r.state FROM runs r JOIN approvals a ON a.id = r.approval_id ORDER BY number") == [
        ("unknown",),
        ("starting",),
    ]
    shop.time_passes(REQUEST_LIMIT_SECONDS + 1)
    await shop.until(lambda: shop.rows("SELECT 1 FROM run_steps WHERE state = 'done'"), "A-2 to run")
    assert len(await shop.writes()) == 1


async def test_an_approval_that_is_taken_back_while_its_run_waits_is_asked_for_anew_at_once(shop: Town) -> None:
    await shop.alert(checkout_alert())
    first = await shop.request()
    await fill(
        shop, PRIYA, await form(shop, PRIYA, "restart-deployment INC-1"), namespace="shop", deployment="checkout"
    )
    second = await shop.request(2)
    await shop.lose("before")
    await shop.page.click(LEE, first, "Approve")
    await shop.sees("A-1: did this take effect")
    await shop.page.click(LEE, second, "Approve", stale=True)
    await shop.sees("A-2 is approved and waits. It waits for A-1")
    await shop.choose(LEE, await shop.request(2), "Take my approval back")
    await shop.sees("took their approval of A-2 back")
    await shop.request(3)
    assert shop.rows("SELECT number, state FROM approvals ORDER BY number") == [
        (1, "approved"),
        (2, "void"),
        (3, "pending"),
    ]


async def test_a_denial_that_was_taken_is_judged_before_the_first_call(closed_shop: Town) -> None:
    """The process died after it had acknowledged the denial, and its job comes later than the run's."""
    here = closed_shop
    await here.interrupted("after:run.started")
    [(approval, digest)] = here.rows("SELECT id, digest FROM approvals")
    keys = Keys.read(here.environment["SIGNOFF_SECRET_KEY"])
    database = Database(here.environment["SIGNOFF_DATABASE_URL"], keys=keys)
    denial = Vote("denial", approval, Person("T0SHOP", PRIYA), "deny", digest, reason="no!", received_at=1)

    def store(connection: Connection) -> None:
        approvals.receive_vote(connection, denial, person_name="priya", channel="C0INCIDENTS")
        work.want(connection, "vote", denial.id, now=clock.advance(connection) + 3_600_000_000)

    database.write_now(store)
    database.close()
    await here.serve()
    await here.sees("A-1 is approved and waits. Somebody's word against it was taken")
    here.alter("UPDATE votes SET not_before = 0 WHERE id = 'denial'")
    await here.sees("A-1 denied by")
    assert here.rows("SELECT state FROM runs") == [("void",)]
    assert here.rows("SELECT * FROM run_steps") == []
    assert await here.writes() == []
    assert here.audit_holds()


async def test_a_run_that_waits_until_its_request_expires_does_not_start(shop: Town) -> None:
    await shop.alert(checkout_alert())
    first = await shop.request()
    second = await asked_too(shop)
    await shop.lose("before")
    await shop.page.click(LEE, first, "Approve")
    await shop.sees("A-1: did this take effect")
    await shop.page.click(LEE, second, "Approve", stale=True)
    await shop.sees("A-2 is approved and waits")
    await shop.cannot_be_read()
    shop.time_passes(DAY)
    await shop.sees("A-2 expired at .*it was approved and could not start until then")
    assert shop.rows("SELECT count(*) FROM locks") == [(1,)], "A-1 still asks"
