"""A request and its run live by one table: they start once, end once, hold what they change, and wait in sight."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from bot.approvals import windows
from bot.approvals.lifecycle import EVENTS, STATES, Event, Illegal, Moved, step
from bot.approvals.policy import judge, may_answer, may_start
from bot.domain.approval import ApprovalState
from bot.domain.plan import Plan
from bot.domain.policy import Window
from bot.domain.run import Run
from bot.intake.answering import NOT_RECORDED
from bot.runbooks.execute import drift, fire
from bot.runbooks.refusal import Refusal
from bot.store import approvals, clock, locks, runs
from bot.store.database import Database
from bot.store.tables import approvals as approval_rows
from bot.store.tables import counters
from bot.store.unreadable import UnreadableRow
from tests.approvals.test_policy import DANA, EXPIRY, LEE, NOW, a_plan, a_vote, an_approval, people
from tests.chat.samples import record
from tests.intake.room import Room, request_card
from tests.runbooks.conftest import Shop
from tests.runbooks.test_resolve import found as resolved

KEY = "prod/Deployment/shop/checkout"
OPEN: frozenset[ApprovalState] = frozenset({"pending", "approved"})


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_every_event_in_every_state_moves_it_or_is_refused_in_words(
    state: ApprovalState, event: Event, started: bool
) -> None:
    """L1: the table is total, what has ended or started never changes again, and only what is approved starts."""
    outcome = step(state, event, started=started)
    if isinstance(outcome, Illegal):
        assert outcome.sentence.endswith(".")
        return
    assert isinstance(outcome, Moved)
    assert state in OPEN
    assert not started
    assert event != "start" or state == "approved"


def begun(database: Database, approval: str) -> Run:
    made = database.write_now(lambda c: runs.start(c, approval_id=approval, matter_id="i1", now=NOW))
    assert made is not None
    return made


def taken(database: Database, run: Run) -> str | None:
    return database.write_now(lambda c: locks.take(c, run.id, [KEY], now=clock.advance(c)))


def test_an_unknown_run_holds_its_lock_until_somebody_who_may_answers(database: Database) -> None:
    """L4: what may still be under way keeps everything else off its target; approvers are asked, and nobody else."""
    doubtful, other = begun(database, "a1"), begun(database, "a2")
    assert taken(database, doubtful) is None
    everything: Any = frozenset({"starting", "running"})
    assert database.write_now(lambda c: runs.move(c, doubtful.id, before=everything, after="unknown", now=NOW))
    assert taken(database, other) == doubtful.id
    plan = a_plan()
    approval = an_approval(plan, state="approved")
    assert may_answer(approval, plan, a_vote(LEE, plan, "absent"), people()) == ""
    assert may_answer(approval, plan, a_vote(DANA, plan, "absent"), people()) != ""


def test_a_clock_that_is_set_back_revives_nothing(database: Database) -> None:
    """L5: the highest time that there was is stored; what had expired by it can be neither approved nor started."""
    database.write_now(clock.advance)
    highest = update(counters).where(counters.c.name == clock.HIGH_WATER).values(value=EXPIRY)
    database.write_now(lambda connection: connection.execute(highest))
    now = database.read_now(clock.now)
    assert now >= EXPIRY
    plan = a_plan()
    assert judge(an_approval(plan), plan, [], a_vote(LEE, plan), people(), now).outcome == "refused"
    counted = [a_vote(LEE, plan, state="counted")]
    approved = an_approval(plan, state="approved")
    assert may_start(approved, plan, counted, people(), now).outcome == "expired"
    assert may_start(approved, plan, counted, people(), EXPIRY - 1).outcome == "approved"


def test_of_many_runs_that_want_one_target_at_once_one_has_it(database: Database) -> None:
    """L6: one change of a target at a time, whoever asks and however many."""
    wanting = [begun(database, f"a{nth}") for nth in range(6)]
    with ThreadPoolExecutor(6) as threads:
        holders = list(threads.map(lambda run: taken(database, run), wanting))
    (winner,) = [run.id for run, holder in zip(wanting, holders, strict=True) if holder is None]
    assert set(holders) == {None, winner}


def test_a_closed_window_stops_the_vote_and_the_start() -> None:
    """L7: judged at both. Where clocks change a freeze holds by either reading, so that in doubt nothing runs."""
    night = Window("deny", "30 2 * * *", 1800, "Europe/Berlin")
    fold = 1_792_886_400_000_000  # 2026-10-25T00:00Z: the clocks of Berlin go back at 01:00Z
    where: Any = {"cluster": "prod", "namespaces": ["shop"], "runbook": "restart"}
    frozen = [hour for hour in range(4) if windows.hold([night], fold + (hour * 60 + 30) * 60_000_000, **where)]
    assert frozen == [0, 1]
    why = windows.hold([night], fold + 31 * 60_000_000, **where)
    plan = a_plan()
    assert judge(an_approval(plan), plan, [], a_vote(LEE, plan), people(), NOW, hold=why).outcome == "refused"
    assert judge(an_approval(plan), plan, [], a_vote(LEE, plan, "deny"), people(), NOW, hold=why).outcome == "denied"
    counted = [a_vote(LEE, plan, state="counted")]
    start = may_start(an_approval(plan, state="approved"), plan, counted, people(), NOW, hold=why)
    assert start.outcome == "waiting"


@pytest.mark.parametrize("damage", [b"", b"{", b'{"schema": 1}', b"\xff\x00", b"[" * 5000])
def test_a_row_that_cannot_be_read_stops_nothing_but_itself(database: Database, damage: bytes) -> None:
    """L8: one malformed object stopped a controller for ever (CVE-2026-40886): here it is an error of its own row, and
    what stands beside it is read and decided."""
    plan = Plan.of(record())

    def store(connection: Any) -> None:
        for name in ("a1", "a2"):
            approvals.open_request(connection, approval_id=name, matter_id="i1", plan=plan, full_diff="", now=NOW)
        of_first = update(approval_rows).where(approval_rows.c.id == "a1")
        connection.execute(of_first.values(record=damage))

    database.write_now(store)
    with pytest.raises(UnreadableRow):
        database.read_now(lambda connection: approvals.request(connection, "a1"))
    assert database.read_now(lambda connection: approvals.request(connection, "a2")).plan.digest == plan.digest


async def test_a_click_that_is_not_taken_is_told_to_who_clicked_and_to_nobody_else(room: Room) -> None:
    """L9: every click has an answer. Success that is shown and did not happen (HashiCorp support 17407649397395) and a
    yes after which nothing runs (openclaw 71023) are what a refusal and a store that fails are not."""
    ts = await room.post(request_card())
    room.inbox.says = "There is no such request any more: nothing was recorded."
    assert (await room.click(ts, "apr.approve"))["acked"]
    room.inbox.says, room.inbox.raises = "", OSError("disk full")
    await room.click(ts, "apr.approve")
    assert await room.told() == [
        "🚫 There is no such request any more: nothing was recorded.",
        "🚫 " + NOT_RECORDED,
    ]
    assert await room.told("U0DANA") == []


async def test_a_target_that_moved_is_not_touched(broken: Shop) -> None:
    """L10: what the action reads or writes is compared with the plan before the call; a difference sends nothing."""
    plan = (await broken.planned("rollback-deployment", deployment="checkout")).plan
    assert not await drift(plan, broken.prod)
    container = {"name": "checkout", "image": "registry.example/shop/checkout:9"}
    broken.change("checkout", {"spec": {"template": {"spec": {"containers": [container]}}}})
    assert await drift(plan, broken.prod)
    effect = await fire(plan, 0, broken.prod)
    assert (effect.outcome, bool(effect.drift)) == ("failed", True)
    assert broken.writes() == []


async def test_one_target_more_than_is_allowed_refuses_all_of_them(market: Shop) -> None:
    """L11: targets are counted when they are resolved, not when the runbook is written."""
    everything = await resolved(market)
    assert isinstance(everything, list)
    assert await resolved(market, max_targets=len(everything)) == everything
    assert isinstance(await resolved(market, max_targets=len(everything) - 1), Refusal)


async def test_what_takes_a_step_back_is_in_the_approved_digest(market: Shop) -> None:
    """L12: only where the plan has the calls that undo others is anything taken back without another approval; they
    are bytes of the record like all others."""
    plan = (await market.planned("scale-deployment", deployment="cart", replicas=5)).plan
    back = [call for call in plan.calls if call["undoes"] is not None]
    assert [call["undoes"] for call in back] == [0]
    changed = [{**call, "body": {"spec": {"replicas": 0}}} if call in back else call for call in plan.calls]
    assert Plan.of({**plan.record, "calls": changed}).digest != plan.digest
    book = market.catalogue.runbooks["scale-deployment"]
    asked = replace(book, rollback=replace(book.rollback, approval="none"))
    market.catalogue = replace(market.catalogue, runbooks={**market.catalogue.runbooks, book.id: asked})
    without = (await market.planned("scale-deployment", deployment="cart", replicas=5)).plan
    assert [call for call in without.calls if call["undoes"] is not None] == []


def test_one_click_is_one_run_however_often_it_is_delivered(database: Database) -> None:
    """One click on a button did several actions (getsentry/sentry 69252): an approval has one run, whoever starts it
    and how often."""
    with ThreadPoolExecutor(4) as threads:
        start = threads.map(
            lambda _: database.write_now(lambda c: runs.start(c, approval_id="a1", matter_id="i1", now=NOW)), range(8)
        )
        assert sum(made is not None for made in start) == 1


async def test_two_people_are_two_votes_and_a_delivery_that_is_repeated_is_none(room: Room) -> None:
    """A guard in memory forgot clicks and swallowed others' (hermes-agent 100408, 100112): what tells a repetition is
    in the click itself, and is stored with it."""
    ts = await room.post(request_card())
    await room.click(ts, "apr.approve")
    await room.click(ts, "apr.approve", user="U0DANA")
    assert len({click.person for click in room.inbox.clicks.values()}) == 2
    assert len(room.inbox.clicks) == room.inbox.deliveries == 2
