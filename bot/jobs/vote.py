"""A click's story: judge the stored click against the people as they stand now, and do what it decides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from bot.approvals import policy
from bot.approvals.terms import Terms
from bot.chat import thread
from bot.chat.card import Card
from bot.domain.approval import Electorate, Person, Vote, VoteState
from bot.domain.incident import Incident
from bot.domain.run import Run
from bot.jobs import board, run
from bot.jobs.engine import Steps, Story
from bot.jobs.people import FOR_A_DENIAL, FOR_AN_APPROVAL, electorate
from bot.jobs.world import World
from bot.store import approvals, audit, clock, incidents, outbox, runs, unreadable, work
from bot.store.approvals import Click, Request
from bot.store.unreadable import UnreadableRow

KIND = "vote"
VERSION = 1

UNREADABLE = "This request cannot be decided: its stored record can no longer be read. It is reported; nothing ran."


def story(world: World) -> Story:
    """Return the story of one click."""

    async def vote(steps: Steps, vote_id: str, _generation: int) -> None:
        started = await steps("judge", partial(_judge, world, vote_id))
        world.outbox.kick()
        if started:
            world.engine.start_soon("run", *started)

    return vote


@dataclass(frozen=True, slots=True)
class _Case:
    """One click with everything it is judged by, read in the transaction that judges it."""

    click: Click
    request: Request
    incident: Incident
    earlier: tuple[Click, ...]
    run: Run | None
    people: Electorate
    now: int


async def _judge(world: World, vote_id: str) -> list[str | int] | None:
    def concerned(connection: Connection) -> tuple[Vote, set[Person], frozenset[str], int]:
        vote = approvals.click(connection, vote_id).vote
        persons = {vote.person, *(other.vote.person for other in approvals.votes_of(connection, vote.approval_id))}
        return vote, persons, _groups(connection, vote.approval_id), clock.now(connection)

    vote, persons, groups, now = await world.database.read(concerned)
    max_age = FOR_AN_APPROVAL if vote.decision == "approve" else FOR_A_DENIAL
    people = await electorate(world, persons, groups, now, max_age=max_age)
    return await world.database.write(partial(_decide, world=world, vote_id=vote_id, people=people))


def _groups(connection: Connection, approval_id: str) -> frozenset[str]:
    try:
        return frozenset(Terms.of(approvals.request(connection, approval_id).plan).groups)
    except UnreadableRow:
        return frozenset()  # said where it is decided


def _decide(connection: Connection, *, world: World, vote_id: str, people: Electorate) -> list[str | int] | None:
    """Judge the click and act on the verdict in one transaction. Returns the run to start or to go on with, if any."""
    now = clock.advance(connection)
    click = approvals.click(connection, vote_id)
    work.done(connection, KIND, vote_id, work.wanted(connection, KIND, vote_id))
    if click.vote.state != "received":
        return None
    try:
        request = approvals.request(connection, click.vote.approval_id, lock=True)
    except UnreadableRow as problem:
        now = clock.advance(connection)
        unreadable.report(connection, problem, now=now)
        approvals.judge_vote(connection, vote_id, state="refused", verdict=UNREADABLE)
        _whisper(connection, click, UNREADABLE, None, now)
        return None
    case = _Case(
        click=click,
        request=request,
        incident=incidents.get(connection, request.approval.incident_id),
        earlier=tuple(approvals.votes_of(connection, request.approval.id)),
        run=runs.of_approval(connection, request.approval.id),
        people=people,
        now=now,
    )
    if click.vote.decision in ("applied", "absent"):
        return _answer(connection, world, case)
    return _vote(connection, world, case)


def _vote(connection: Connection, world: World, case: _Case) -> list[str | int] | None:
    approval, plan, vote, now = case.request.approval, case.request.plan, case.click.vote, case.now
    started = case.run is not None and case.run.state != "starting"
    earlier = [click.vote for click in case.earlier]
    verdict = policy.judge(approval, plan, earlier, vote, case.people, now, started=started)
    state: VoteState = "refused" if verdict.outcome == "refused" else "counted"
    _judged(connection, world, case, state, f"vote.{verdict.outcome}", verdict.sentence)
    if state == "refused":
        return None
    going = None
    if verdict.outcome == "approved":
        sentence = verdict.sentence
        if approvals.move(connection, approval.id, before="pending", after="approved", outcome=sentence, now=now):
            going = runs.start(connection, approval_id=approval.id, incident_id=approval.incident_id, now=now)
    elif verdict.outcome == "denied":
        outcome = world.redactor.text(verdict.sentence)
        approvals.move(connection, approval.id, before=approval.state, after="denied", outcome=outcome, now=now)
        if case.run is not None:
            runs.move(connection, case.run.id, before=frozenset({"starting"}), after="void", outcome=outcome, now=now)
    board.show_approval(connection, world, approval.id, now=now)
    board.show(connection, world, case.incident.id, now=now, urgent=True)
    board.say(connection, world, case.incident, f"vote:{vote.id}", _said(verdict.outcome, case, world), now=now)
    return [going.id, work.wanted(connection, "run", going.id)] if going else None


def _said(outcome: str, case: _Case, world: World) -> Card:
    approval, name = case.request.approval, case.click.person_name
    if outcome == "denied":
        return thread.denied(approval, name, world.redactor.text(case.click.vote.reason))
    names = [*(click.person_name for click in case.earlier if click.vote.decision == "approve"), name]
    if outcome == "approved":
        return thread.approved(approval, names)
    return thread.vote_counted(approval, name, len(names), case.request.plan.record["quorum"])


def _answer(connection: Connection, world: World, case: _Case) -> list[str | int] | None:
    """Take a person's word on the step of an UNKNOWN run. The first answer counts; nothing is ever run again by it."""
    vote, now = case.click.vote, case.now
    refusal = policy.may_answer(case.request.approval, case.request.plan, vote, case.people)
    if not refusal and (case.run is None or case.run.state != "unknown"):
        refusal = "This was answered already, or the run has ended."
    if refusal or case.run is None:
        _judged(connection, world, case, "refused", "answer.refused", refusal)
        return None
    name = world.redactor.text(case.click.person_name)
    applied = vote.decision == "applied"
    sentence = f"{name} looked and says that it {'took effect' if applied else 'did not take effect'}."
    _judged(connection, world, case, "counted", f"answer.{vote.decision}", sentence)
    going = run.answered(connection, world, case.request, case.run, applied=applied, sentence=sentence, now=now)
    return [case.run.id, going] if going is not None else None


def _judged(connection: Connection, world: World, case: _Case, state: VoteState, kind: str, sentence: str) -> None:
    vote, approval = case.click.vote, case.request.approval
    approvals.judge_vote(connection, vote.id, state=state, verdict=sentence, age_ms=case.people.age_ms)
    audit.append(
        connection,
        at=case.now,
        kind=kind,
        actor=str(vote.person),
        subject=approval.name,
        data={
            "decision": vote.decision,
            "voted_digest": vote.digest,
            "digest": approval.digest,
            "reason": world.redactor.text(vote.reason),
            "verdict": world.redactor.text(sentence),
            "groups_age_ms": case.people.age_ms,
        },
    )
    if state == "refused":
        _whisper(connection, case.click, sentence, board.card_key(case.incident.id), case.now)


def _whisper(connection: Connection, click: Click, sentence: str, thread_key: str | None, now: int) -> None:
    outbox.put(
        connection,
        key=f"answer:{click.vote.id}",
        channel=click.channel,
        payload=thread.refused(sentence).payload(),
        thread_key=thread_key,
        kind="ephemeral",
        recipient=click.vote.person.user_id,
        now=now,
        urgent=True,
    )
