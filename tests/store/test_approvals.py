"""Approvals and votes as rows: one outcome, one vote a click, and no plan but the one that was digested."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from bot.domain.approval import Approval, Person, Vote
from bot.domain.plan import SCHEMA, Plan
from bot.store import approvals, work
from bot.store.database import Database
from bot.store.tables import approvals as approval_rows
from bot.store.tables import votes
from bot.store.unreadable import UnreadableRow
from bot.store.work import Due

NOW = 1_795_255_320_000_000
LEE = Person("T0SHOP", "U0LEE")
PLAN = Plan.of(
    {
        "schema": SCHEMA,
        "runbook": {"id": "rollback-deployment"},
        "cluster": "prod",
        "requester": None,
        "expires_at": NOW + 1000,
        "calls": [],
        "targets": [],
    }
)


def ask(database: Database, approval_id: str = "a1", plan: Plan = PLAN) -> Approval:
    return database.write_now(
        lambda c: approvals.open_request(
            c, approval_id=approval_id, matter_id="i1", plan=plan, full_diff="- a\n+ b", now=NOW
        )
    )


def vote(vote_id: str = "v1", person: Person = LEE) -> Vote:
    return Vote(vote_id, "a1", person, "approve", PLAN.digest, "", NOW)


def receive(database: Database, click: Vote) -> int | None:
    return database.write_now(lambda c: approvals.receive_vote(c, click, person_name="lee", channel="C1"))


def test_a_request_reads_back_with_the_very_bytes_of_its_plan(database: Database) -> None:
    asked = ask(database)
    assert (asked.name, asked.state, asked.expires_at, asked.requester) == ("A-1", "pending", NOW + 1000, None)
    found = database.read_now(lambda c: approvals.request(c, "a1"))
    assert (found.approval, found.plan, found.full_diff) == (asked, PLAN, "- a\n+ b")
    assert database.read_now(lambda c: approvals.by_number(c, 1)) == asked
    assert database.read_now(lambda c: approvals.digest_of(c, "none")) is None


def test_a_request_is_on_a_card_of_its_own_until_it_is_put_on_another(database: Database) -> None:
    assert ask(database).card == "a1"
    ask(database, "a3")
    assert ask(database, "a2").card == "a2"
    assert database.write_now(lambda c: approvals.put_on(c, "a2", "a1")).card == "a1"
    assert database.read_now(lambda c: approvals.on_card(c, "a1")) == ["a1", "a2"]
    assert database.read_now(lambda c: approvals.on_card(c, "a2")) == []


def test_a_requester_is_a_person_of_a_workspace(database: Database) -> None:
    record = {**PLAN.record, "requester": {"team_id": "T0SHOP", "user_id": "U0LEE"}}
    assert ask(database, plan=Plan.of(record)).requester == LEE


@pytest.mark.parametrize("spoiled", [{"record": b"{}"}, {"digest": "0" * 64}, {"state": "maybe"}, {"record": b"\xff"}])
def test_a_request_whose_bytes_are_not_what_was_signed_off_cannot_be_read(
    database: Database, spoiled: dict[str, Any]
) -> None:
    ask(database)
    ask(database, "a2")
    database.write_now(lambda c: c.execute(update(approval_rows).where(approval_rows.c.id == "a1").values(**spoiled)))
    with pytest.raises(UnreadableRow, match="approvals row a1"):
        database.read_now(lambda c: approvals.request(c, "a1"))
    assert "A-2" in [each.name for each in database.read_now(lambda c: approvals.of_matter(c, "i1"))]
    assert "A-2" in [each.name for each in database.read_now(lambda c: approvals.pending(c))]


def test_a_request_is_decided_once(database: Database) -> None:
    ask(database)

    def decide(after: Any) -> bool:
        return database.write_now(
            lambda c: approvals.move(c, "a1", before="pending", after=after, outcome="x" * 2000, now=NOW + 5)
        )

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(decide, ["approved", "denied", "expired", "void"] * 2)) == [False] * 7 + [True]
    decided = database.read_now(lambda c: approvals.get(c, "a1"))
    assert (decided.decided_at, len(decided.outcome)) == (NOW + 5, 1000)
    assert database.read_now(approvals.count_pending) == 0


def test_it_expires_at_its_time_and_not_before(database: Database) -> None:
    ask(database)
    assert database.read_now(lambda c: approvals.expired(c, now=NOW + 999)) == []
    assert database.read_now(lambda c: approvals.expired(c, now=NOW + 1000)) == ["a1"]


def test_a_click_that_slack_delivers_twice_is_one_vote_and_one_job(database: Database) -> None:
    ask(database)
    with ThreadPoolExecutor(4) as threads:
        generations = list(threads.map(lambda _: receive(database, vote()), range(8)))
    assert sorted(generations, key=str) == [1] + [None] * 7
    assert database.read_now(lambda c: work.due(c, now=NOW)) == [Due("vote", "v1", 1)]
    click = database.read_now(lambda c: approvals.click(c, "v1"))
    assert (click.vote, click.person_name, click.channel) == (vote(), "lee", "C1")


def test_a_vote_is_judged_once_and_then_counts(database: Database) -> None:
    ask(database)
    for nth, person in enumerate([LEE, Person("T0SHOP", "U0PRIYA")]):
        receive(database, replace(vote(f"v{nth}", person), received_at=NOW - nth))
    assert database.read_now(lambda c: approvals.votes_of(c, "a1")) == []
    judged = [
        database.write_now(lambda c, v=vote_id, s=state: approvals.judge_vote(c, v, state=s, verdict="why"))
        for vote_id, state in (("v0", "counted"), ("v0", "refused"), ("v1", "counted"))
    ]
    assert judged == [True, False, True]
    assert [click.vote.id for click in database.read_now(lambda c: approvals.votes_of(c, "a1"))] == ["v1", "v0"]


def test_a_vote_that_cannot_be_read_is_never_passed_over(database: Database) -> None:
    ask(database)
    receive(database, vote())
    database.write_now(lambda c: approvals.judge_vote(c, "v1", state="counted", verdict=""))
    database.write_now(lambda c: c.execute(update(votes).values(decision="perhaps")))
    with pytest.raises(UnreadableRow, match="votes row v1"):
        database.read_now(lambda c: approvals.votes_of(c, "a1"))


def test_a_broken_glass_stays_to_be_reviewed_until_somebody_has(database: Database) -> None:
    ask(database)
    ask(database, "a2")

    def clicked(vote_id: str, decision: Any, state: Any, *, approval_id: str = "a1") -> None:
        receive(database, replace(vote(vote_id), decision=decision, approval_id=approval_id, reason="why"))
        database.write_now(lambda c: approvals.judge_vote(c, vote_id, state=state, verdict="Lee broke the glass"))

    def unreviewed() -> tuple[list[str], int]:
        listed = database.read_now(approvals.unreviewed)
        return [each.name for each in listed], database.read_now(approvals.count_unreviewed)

    def glass() -> approvals.Glass | None:
        return database.read_now(lambda c: approvals.glass_of(c, "a1"))

    clicked("v1", "approve", "counted")
    clicked("v2", "break", "refused")
    clicked("v3", "break", "counted", approval_id="a2")
    assert (glass(), unreviewed()) == (None, (["A-2"], 1))
    clicked("v4", "break", "counted")
    clicked("v5", "reviewed", "refused")
    assert unreviewed() == (["A-1", "A-2"], 2)
    found = glass()
    assert found is not None
    assert (found.broken.vote.id, found.broken.vote.verdict, found.reviewed) == ("v4", "Lee broke the glass", None)
    database.write_now(lambda c: approvals.revoke_votes(c, ["v4"], verdict="taken back"))
    assert unreviewed() == (["A-1", "A-2"], 2), "it was broken all the same"
    clicked("v6", "reviewed", "counted")
    assert unreviewed() == (["A-2"], 1)
    found = glass()
    assert found is not None
    assert found.reviewed is not None
    assert found.reviewed.vote.id == "v6"
