"""The inbox: what people did is one row before it is acknowledged, and what they ask to see is read as it is."""

from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import update

from bot import assembly, shipped
from bot.chat.logs_asked import LogsAsked
from bot.chat.outbox import Outbox
from bot.chat.shared_card import Shown
from bot.domain.alert import Alert, Delivery
from bot.domain.approval import Person
from bot.domain.evidence import Evidence
from bot.domain.incident import Subject
from bot.domain.joining import join
from bot.domain.plan import SCHEMA, Plan
from bot.intake.acts import Answer, Click, LogsWanted, Said
from bot.intake.inbox import LOGS_AT_ONCE, StoredInbox
from bot.jobs.engine import Engine
from bot.jobs.world import World
from bot.redact import Redactor
from bot.runbooks import catalogue
from bot.settings import Configuration, Settings
from bot.store import alerts, approvals, incidents, log_requests, runs, work
from bot.store.anchors import Anchors
from bot.store.database import Database
from bot.store.tables import incidents as incident_rows
from bot.store.work import Due
from bot.structure import Structure

NOW = 1_795_255_320_000_000
LEE = Person("T0SHOP", "U0LEE")
SECRET = "correct-horse-battery-staple"
PLAN = Plan.of(
    {
        "schema": SCHEMA,
        "runbook": {"id": "rollback-deployment"},
        "cluster": "prod",
        "needs": [],
        "quorum": 1,
        "requester": None,
        "expires_at": NOW + 1000,
        "calls": [],
        "targets": [],
    }
)
CLICK = Click("v1", "a1", PLAN.digest[:16], LEE, "lee", "approve", "", "C0INCIDENTS")


@pytest.fixture
async def world(database: Database) -> World:
    parts: dict[str, Any] = dict.fromkeys(World.__dataclass_fields__)
    books = catalogue.load(shipped.runbooks(None))
    engine = Engine(database)
    rules = replace(
        assembly.rules_of(Configuration(Settings(), Structure())),
        logs=frozenset({("C0INCIDENTS", "prod", "shop")}),
        default_cluster="prod",
    )
    parts |= {"database": database, "engine": engine, "anchors": Anchors(), "clusters": {}, "rules": rules}
    parts["outbox"] = Outbox(database, AsyncWebClient())
    return World(**parts | {"redactor": Redactor([SECRET]), "catalogue": books})


@pytest.fixture
def inbox(world: World) -> StoredInbox:
    def fill(connection: Any) -> None:
        for nth in range(12):
            fires = Alert(f"f{nth}", NOW, "firing", None, {"alertname": f"Alert{nth}"}, {})
            delivery = Delivery("default", "r", f"key{nth}", {}, {}, {}, "", 0, (fires,))
            alerts.accept(connection, delivery, now=NOW)
            of = incidents.group(connection, delivery.group_id, now=NOW)
            joined = join(None, of.unassigned, (), truncated=0, now=NOW, reopen_within=0)
            subject = Subject(None, "", "", "", "")
            made = incidents.apply(connection, of, joined, subject=subject, now=NOW)
            work.done(connection, "group", delivery.group_id, 1)
        asked = {"matter_id": made.id, "plan": PLAN, "full_diff": "- a\n+ b", "now": NOW}
        approvals.open_request(connection, approval_id="a1", **asked)

    world.database.write_now(fill)
    return StoredInbox(world)


def due(world: World) -> list[Due]:
    return world.database.read_now(lambda connection: work.due(connection, now=2**60))


async def test_a_vote_is_one_row_that_wants_its_judgement(world: World, inbox: StoredInbox) -> None:
    assert await inbox.vote(CLICK) == ""
    assert await inbox.vote(CLICK) == "", "Slack delivers some clicks twice"
    assert due(world) == [Due("vote", "v1", 1)]
    stored = world.database.read_now(lambda c: approvals.click(c, "v1"))
    assert (stored.vote.person, stored.vote.decision, stored.vote.state) == (LEE, "approve", "received")
    assert (stored.person_name, stored.channel) == ("lee", "C0INCIDENTS")


async def test_the_digest_that_was_seen_is_stored(world: World, inbox: StoredInbox) -> None:
    await inbox.vote(CLICK)
    await inbox.vote(replace(CLICK, id="v2", digest="0" * 16))
    await inbox.vote(replace(CLICK, id="v3", digest=""))
    seen = [world.database.read_now(lambda c, v=each: approvals.click(c, v).vote.digest) for each in ("v1", "v2", "v3")]
    assert seen == [PLAN.digest, "0" * 16, ""], "a click on another plan's card never counts as one on this"


async def test_a_click_on_nothing_is_told_so_and_stored_nowhere(world: World, inbox: StoredInbox) -> None:
    assert "no such request" in await inbox.vote(replace(CLICK, approval_id="gone"))
    assert "no such run" in await inbox.answer(Answer("v9", "gone", "applied", LEE, "lee", "C1"))
    assert due(world) == []


async def test_a_secret_in_a_reason_is_never_stored(world: World, inbox: StoredInbox) -> None:
    await inbox.vote(replace(CLICK, decision="deny", reason=f"it holds {SECRET}, no"))
    reason = world.database.read_now(lambda c: approvals.click(c, "v1").vote.reason)
    assert SECRET not in reason
    assert reason.startswith("it holds ")


@pytest.mark.parametrize("said", ["applied", "absent", "again"])
async def test_what_a_person_saw_of_a_run_is_a_vote_too(world: World, inbox: StoredInbox, said: Said) -> None:
    run = world.database.write_now(lambda c: runs.start(c, approval_id="a1", matter_id="i1", now=NOW))
    assert run is not None
    assert await inbox.answer(Answer("v1", run.id, said, LEE, "lee", "C1")) == ""
    stored = world.database.read_now(lambda c: approvals.click(c, "v1"))
    assert (stored.vote.decision, stored.vote.approval_id, stored.vote.digest) == (said, "a1", PLAN.digest)


async def test_lists_are_short_and_say_how_many_there_are(inbox: StoredInbox) -> None:
    found = await inbox.open_incidents()
    assert [each.name for each in found.newest] == [f"INC-{n}" for n in range(12, 2, -1)]
    assert found.total == 12
    waiting = await inbox.waiting_approvals()
    [(approval, what)] = waiting.oldest
    assert approval.name == "A-1"
    assert what.startswith("Roll back a Deployment: ")
    assert what.endswith("(INC-12)")
    assert waiting.total == 1
    assert (waiting.unreviewed, waiting.unreviewed_total) == ([], 0)


async def test_a_broken_glass_is_listed_and_on_its_card_until_it_is_reviewed(world: World, inbox: StoredInbox) -> None:
    def counts(vote_id: str) -> None:
        world.database.write_now(lambda c: approvals.judge_vote(c, vote_id, state="counted", verdict="so it was"))

    assert await inbox.vote(replace(CLICK, id="v1", decision="break", reason="the shop is down")) == ""
    assert (await inbox.waiting_approvals()).unreviewed_total == 0, "not judged yet"
    counts("v1")
    waiting = await inbox.waiting_approvals()
    assert ([approval.name for approval, _ in waiting.unreviewed], waiting.unreviewed_total) == (["A-1"], 1)
    assert await inbox.vote(replace(CLICK, id="v2", decision="reviewed", reason="right")) == ""
    counts("v2")
    assert (await inbox.waiting_approvals()).unreviewed == []
    shown = await inbox.approval(1)
    assert isinstance(shown, Shown)
    assert shown.view.broken is not None
    assert shown.view.reviewed is not None
    assert (shown.view.broken.reason, shown.view.reviewed.reason) == ("the shop is down", "right")


async def test_one_incident_and_one_request_are_found_by_their_numbers(inbox: StoredInbox) -> None:
    shown = await inbox.incident(12)
    assert shown is not None
    assert shown.incident.name == "INC-12"
    assert [line.name for line in shown.actions] == ["A-1"]
    request = await inbox.approval(1)
    assert request is not None
    assert (request.approval.name, request.full_diff, request.view.buttons) == ("A-1", "- a\n+ b", False)
    assert (await inbox.incident(99), await inbox.approval(99)) == (None, None)


async def test_evidence_is_found_by_its_incident(world: World, inbox: StoredInbox) -> None:
    shown = await inbox.incident(1)
    assert shown is not None
    item = Evidence("E1", "events", "Events", "prod", "GET /", NOW, "text")
    world.database.write_now(lambda c: incidents.add_evidence(c, shown.incident.id, [item], generation=1))
    assert await inbox.evidence(shown.incident.id) == ("INC-1", (item,))
    assert await inbox.evidence("gone") is None


async def test_an_incident_that_cannot_be_read_hides_no_other(world: World, inbox: StoredInbox) -> None:
    spoiled = update(incident_rows).where(incident_rows.c.number == 12).values(labels=[1])
    world.database.write_now(lambda c: c.execute(spoiled))
    assert [each.name for each in (await inbox.open_incidents()).newest][:2] == ["INC-11", "INC-10"]


def wish(nth: int = 1, *, namespace: str = "shop", words: tuple[str, ...] = ()) -> LogsWanted:
    asked = LogsAsked("", namespace, "cart", 60, words)
    return LogsWanted(f"l{nth}", LEE, "lee", "C0INCIDENTS", asked)


async def test_a_wish_for_logs_is_one_row_however_often_it_is_delivered(world: World, inbox: StoredInbox) -> None:
    assert (await inbox.logs(wish()))[0]
    assert (await inbox.logs(wish()))[0]
    assert due(world) == [Due("logs", "l1", 1)]
    stored = world.database.read_now(lambda c: log_requests.get(c, "l1"))
    assert (stored.place, stored.person, stored.state) == ("prod/shop/cart", LEE, "received")


async def test_what_is_not_listed_is_refused_without_a_job(world: World, inbox: StoredInbox) -> None:
    taken, sentence = await inbox.logs(wish(namespace="kube-system"))
    assert not taken
    assert "may not be read in this channel" in sentence
    assert due(world) == []


async def test_one_person_cannot_have_everything_read_at_once(world: World, inbox: StoredInbox) -> None:
    for nth in range(LOGS_AT_ONCE):
        assert (await inbox.logs(wish(nth)))[0]
    taken, sentence = await inbox.logs(wish(99))
    assert (taken, sentence) == (False, "Signoff still reads 3 logs for you: wait for one of them.")


async def test_a_secret_is_no_word_to_look_for(world: World, inbox: StoredInbox) -> None:
    assert not (await inbox.logs(wish(words=("timeout", SECRET))))[0]
    assert due(world) == []
