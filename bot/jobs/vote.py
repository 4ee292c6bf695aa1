"""A click's story: judge the stored click against the people as they stand now, and do what it decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from bot.approvals import policy
from bot.approvals.terms import Terms, on_behalf_of
from bot.chat import thread
from bot.chat.card import Card
from bot.domain.approval import ApprovalState, Decision, Electorate, Person, Vote, VoteState
from bot.domain.ask import Ask
from bot.domain.matter import Matter
from bot.domain.policy import BREAK_GLASS
from bot.domain.run import Run, RunState
from bot.jobs import board, holds, ledger
from bot.jobs.engine import Steps, Story
from bot.jobs.outdated import outdated
from bot.jobs.people import FOR_A_DENIAL, FOR_AN_APPROVAL, FRESH, electorate
from bot.jobs.world import World
from bot.store import approvals, asks, audit, clock, matters, outbox, runs, unreadable, work
from bot.store.approvals import Click, Glass, Request
from bot.store.unreadable import UnreadableRow

KIND = "vote"
VERSION = 1

_STOPS: frozenset[Decision] = frozenset({"deny", "revoke", "cancel"})
"""What is the safe direction, and may count on an older reading of a group."""

_ANSWERS: frozenset[Decision] = frozenset({"applied", "absent", "again"})
_NOTHING_DONE: frozenset[RunState] = frozenset({"failed", "rolled_back"})
"""How a run ends of which Signoff saw by itself that a step had no effect: it may be wanted again."""
_JUDGED_BEFORE = "the audit says that it was judged before"
_ANSWERED = "This was answered already, or the run has ended."
TOO_SLOW = "Slack took too long to say who may do this, so it does not count; try again in a moment."
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
    matter: Matter
    earlier: tuple[Click, ...]
    glass: Glass | None
    run: Run | None
    people: Electorate
    now: int


async def _judge(world: World, vote_id: str) -> list[str | int] | None:
    def concerned(connection: Connection) -> tuple[Vote, set[Person], frozenset[str], str, int]:
        vote = approvals.click(connection, vote_id).vote
        if _comes_too_late(connection, vote):
            return vote, set(), frozenset(), "", clock.now(connection)
        persons = {vote.person, *_earlier(connection, vote.approval_id)}
        groups = _groups(connection, world, vote)
        return vote, persons, groups, _channel(connection, world, vote.approval_id), clock.now(connection)

    try:
        vote, persons, groups, channel, now = await world.database.read(concerned)
    except UnreadableRow as problem:
        return await world.database.write(partial(_set_aside, vote_id=vote_id, problem=problem))
    max_age = FOR_A_DENIAL if vote.decision in _STOPS else FOR_AN_APPROVAL
    for last in (False, False, True):
        people = await electorate(world, persons, groups, now, max_age=max_age, channel=channel)
        decide = partial(_decide, world=world, vote_id=vote_id, people=people, last=last)
        try:
            return await world.database.write(decide)
        except _Stale as stale:
            now, max_age = stale.now, FRESH
    raise AssertionError("the last reading is judged, however old it is")


async def foresee(world: World, approval_id: str, digest: str, person: Person, decision: Decision) -> str:
    """Say why this vote would be refused if it were cast now, or return an empty string. Nothing is stored. A reason
    that is still to be written is taken for given."""

    def read(connection: Connection) -> tuple[Request, list[Vote], bool, Glass | None, str, str, int]:
        request, now = approvals.request(connection, approval_id), clock.now(connection)
        votes = [click.vote for click in approvals.counted(connection, request.approval)]
        why = _obstacle(connection, world, request, decision, now) if decision == "break" else ""
        glass = approvals.glass_of(connection, approval_id)
        started = runs.has_begun(connection, runs.of_approval(connection, approval_id))
        return request, votes, started, glass, why, _channel(connection, world, approval_id), now

    try:
        request, votes, started, glass, why, channel, now = await world.database.read(read)
    except UnreadableRow:
        return UNREADABLE
    persons = {person, *(vote.person for vote in votes)}
    groups = frozenset(Terms.of(request.plan).groups) | _beside(world, decision)
    people = await electorate(world, persons, groups, now, max_age=FOR_A_DENIAL, channel=channel)
    vote = Vote("", approval_id, person, decision, digest, reason="to be written", received_at=now)
    if decision == "reviewed":
        return policy.may_review(request.approval, request.plan, *_votes(glass), vote, people)
    verdict = policy.judge(request.approval, request.plan, votes, vote, people, now, started=started, hold=why)
    return verdict.sentence if verdict.outcome == "refused" else ""


def _obstacle(connection: Connection, world: World, request: Request, decision: Decision, now: int) -> str:
    """Say why nothing of this kind may be approved now, or the glass broken for it."""
    return outdated(world, request.plan) or holds.hold(connection, world, request.plan, now, broken=decision == "break")


def _beside(world: World, decision: Decision) -> frozenset[str]:
    """Return the groups that are read beside those of the plan: where nobody of these is left, others decide."""
    if decision in _ANSWERS or decision == "reviewed":
        return frozenset(world.rules.policy.groups)
    return frozenset({BREAK_GLASS}) if decision == "break" else frozenset()


def _votes(glass: Glass | None) -> tuple[Vote | None, Vote | None]:
    """Return the vote that broke the glass, and the one that closed its review."""
    if glass is None:
        return None, None
    return glass.broken.vote, glass.reviewed.vote if glass.reviewed else None


def _set_aside(connection: Connection, *, vote_id: str, problem: UnreadableRow) -> None:
    """Report a click that cannot be relied on. It is nobody's, so nobody is answered."""
    now = clock.advance(connection)
    unreadable.report(connection, problem, now=now)
    work.done(connection, KIND, vote_id, work.wanted(connection, KIND, vote_id))
    data = {"table": problem.table, "row": problem.row_id, "why": problem.reason}
    audit.append(connection, at=now, kind="row.set_aside", actor="signoff", subject=f"vote {vote_id}", data=data)


def _comes_too_late(connection: Connection, vote: Vote) -> bool:
    """Say whether a vote is to release what is decided already: then it is refused whoever gave it, and Slack, which
    limits how often it may be asked, is not asked about a whole crowd."""
    try:
        return vote.decision in ("approve", "break") and approvals.get(connection, vote.approval_id).state != "pending"
    except UnreadableRow:
        return False  # said where it is decided


def _earlier(connection: Connection, approval_id: str) -> frozenset[Person]:
    try:
        return frozenset(click.vote.person for click in approvals.votes_of(connection, approval_id))
    except UnreadableRow:
        return frozenset()  # said where it is decided


def _groups(connection: Connection, world: World, vote: Vote) -> frozenset[str]:
    beside = _beside(world, vote.decision)
    try:
        return beside | frozenset(Terms.of(approvals.request(connection, vote.approval_id).plan).groups)
    except UnreadableRow:
        return beside  # said where it is decided


def _channel(connection: Connection, world: World, approval_id: str) -> str:
    """Return the channel that a request is decided in, "" if that cannot be read."""
    try:
        matter = matters.get(connection, approvals.get(connection, approval_id).matter_id)
    except UnreadableRow:
        return ""  # nothing is approved then
    return board.channel_of(connection, world, matter)


class _Stale(Exception):
    """Who may was read too long before a click could be judged by it."""

    def __init__(self, now: int) -> None:
        super().__init__("read who may once more")
        self.now = now


def _decide(
    connection: Connection, *, world: World, vote_id: str, people: Electorate, last: bool
) -> list[str | int] | None:
    """Judge the click and act on the verdict in one transaction. Returns the run to start or to go on with, if any.
    Raises ``_Stale`` where people were read too long ago; the ``last`` time such a click is refused."""
    now = clock.advance(connection)
    click = approvals.click(connection, vote_id)
    work.done(connection, KIND, vote_id, work.wanted(connection, KIND, vote_id))
    if click.vote.state != "received":
        return None
    # Slack may have taken long to say the rest, and the database to give this its turn.
    people = people.at(now)
    stale = people.age_ms > FOR_AN_APPROVAL * 1000 and click.vote.decision not in _STOPS
    if stale and not last:
        raise _Stale(now)
    try:
        request = approvals.request(connection, click.vote.approval_id, lock=True)
        earlier = tuple(approvals.counted(connection, request.approval))
        glass = approvals.glass_of(connection, request.approval.id)
    except UnreadableRow as problem:
        now = clock.advance(connection)
        unreadable.report(connection, problem, now=now)
        if click.vote.decision in _ANSWERS:
            _answer_by_list(connection, world, click, people, now)
            return None
        approvals.judge_vote(connection, vote_id, state="refused", verdict=UNREADABLE)
        data = {"verdict": UNREADABLE, "judged": {vote_id: "refused"}}
        actor, subject = str(click.vote.person), f"vote {vote_id}"
        audit.append(connection, at=now, kind="vote.refused", actor=actor, subject=subject, data=data)
        _whisper(connection, click, UNREADABLE, None, now)
        return None
    if vote_id in audit.judged(connection, [request.approval.name, f"vote {vote_id}"]):
        _set_aside(connection, vote_id=vote_id, problem=UnreadableRow("votes", vote_id, _JUDGED_BEFORE))
        return None
    case = _Case(
        click=click,
        request=request,
        matter=matters.get(connection, request.approval.matter_id),
        earlier=earlier,
        glass=glass,
        run=runs.of_approval(connection, request.approval.id),
        people=people,
        now=now,
    )
    if stale:
        _judged(connection, world, case, "refused", "vote.refused", TOO_SLOW)
        return None
    if click.vote.decision in _ANSWERS:
        return _answer(connection, world, case)
    if click.vote.decision == "reviewed":
        _review(connection, world, case)
        return None
    return _vote(connection, world, case)


def _vote(connection: Connection, world: World, case: _Case) -> list[str | int] | None:
    approval, plan, vote, now = case.request.approval, case.request.plan, case.click.vote, case.now
    started = runs.has_begun(connection, case.run)
    earlier = [click.vote for click in case.earlier]
    why = _obstacle(connection, world, case.request, vote.decision, now)
    verdict = policy.judge(approval, plan, earlier, vote, case.people, now, started=started, hold=why)
    state: VoteState = "refused" if verdict.outcome == "refused" else "counted"
    kind: str = "vote"
    more: dict[str, Any] = {}
    if vote.decision == "break":
        # A window that is passed is all that still holds.
        kind, more = "break_glass", {"window": holds.hold(connection, world, plan, now) if not why else ""}
    human = case.people.human
    given = [each for each in earlier if each.decision in ("approve", "break")]
    theirs = [each.id for each in given if human(each.person) == human(vote.person)]
    taken = theirs if verdict.outcome == "revoked" else []
    _judged(connection, world, case, state, f"{kind}.{verdict.outcome}", verdict.sentence, more, taken)
    if state == "refused":
        return None
    going: Run | None = None
    outcome = world.redactor.text(verdict.sentence)
    if verdict.outcome == "approved":
        if approvals.move(connection, approval.id, before="pending", after="approved", outcome=outcome, now=now):
            going = runs.start(connection, approval_id=approval.id, matter_id=approval.matter_id, now=now)
    elif verdict.outcome == "revoked":
        approvals.revoke_votes(connection, theirs, verdict=outcome)
        if (glass := approvals.glass_of(connection, approval.id)) is not None:
            board.show_alarm(connection, world, case.request, glass, now=now)
        if approval.state == "approved":
            _end(connection, case, "void", outcome)
            if case.run is not None:  # it may wait for long; what asks for it anew is its story's end
                work.want(connection, "run", case.run.id)
                going = case.run
    elif verdict.outcome in ("denied", "cancelled"):
        _end(connection, case, verdict.outcome, outcome)
    board.show_approval(connection, world, approval.id, now=now)
    board.show(connection, world, case.matter.id, now=now, urgent=True)
    if vote.decision == "break":
        board.raise_alarm(connection, world, case.request, now=now)
    board.say(
        connection,
        world,
        case.matter,
        f"vote:{vote.id}",
        _said(verdict.outcome, verdict.sentence, case, world),
        now=now,
    )
    return [going.id, work.wanted(connection, "run", going.id)] if going else None


def _end(connection: Connection, case: _Case, after: ApprovalState, outcome: str) -> None:
    """End a request whose run has made no call, and the run with it."""
    approval = case.request.approval
    approvals.move(connection, approval.id, before=approval.state, after=after, outcome=outcome, now=case.now)
    runs.end_unbegun(connection, case.run, outcome=outcome, now=case.now)


def _said(outcome: str, sentence: str, case: _Case, world: World) -> Card:
    approval, name = case.request.approval, case.click.person_name
    if outcome == "revoked":
        return thread.revoked(approval, world.redactor.text(sentence))
    if outcome == "cancelled":
        return thread.cancelled(approval, name)
    if outcome == "denied":
        return thread.denied(approval, name, world.redactor.text(case.click.vote.reason))
    if case.click.vote.decision == "break":
        return thread.released(approval, world.redactor.text(sentence))
    names = [*(click.person_name for click in case.earlier if click.vote.decision == "approve"), name]
    if outcome == "approved":
        return thread.approved(approval, names)
    return thread.vote_counted(approval, name, len(names), case.request.plan.record["quorum"])


def _answer(connection: Connection, world: World, case: _Case) -> list[str | int] | None:
    """Take a person's word on the step of an UNKNOWN run. The first answer counts; nothing is ever run again by it."""
    vote, now = case.click.vote, case.now
    refusal = policy.may_answer(case.request.approval, case.request.plan, vote, case.people)
    settled = case.run is not None and case.run.state in _NOTHING_DONE and vote.decision == "again"
    if not refusal and not settled and (case.run is None or case.run.state != "unknown"):
        refusal = _ANSWERED
    refusal = refusal or _still_open(connection, case.run, vote, now)
    if refusal or case.run is None:
        _judged(connection, world, case, "refused", "answer.refused", refusal)
        return None
    applied = vote.decision == "applied"
    sentence = _looked(world, case.click)
    _judged(connection, world, case, "counted", f"answer.{vote.decision}", sentence)
    if settled:
        _ask_again(connection, case)
        return None
    going = ledger.answered(connection, world, case.request, case.run, applied=applied, sentence=sentence, now=now)
    if vote.decision == "again":
        _ask_again(connection, case)
    return [case.run.id, going] if going is not None else None


def _ask_again(connection: Connection, case: _Case) -> None:
    """Ask for what a run did not do, in the name of who wants it again: they looked, and another signs off."""
    approval, click, record = case.request.approval, case.click, case.request.plan.record
    ask = Ask(
        id=click.vote.id,
        matter_id=approval.matter_id,
        runbook=approval.runbook,
        parameters=record["parameters"],
        person=click.vote.person,
        person_name=click.person_name,
        replaces=None,
        received_at=case.now,
        # For whom it is done has not changed, so they still cannot approve it.
        on_behalf_of=on_behalf_of(record),
    )
    asks.receive(connection, ask)


def _answer_by_list(connection: Connection, world: World, click: Click, people: Electorate, now: int) -> None:
    """Take a person's word on the step of an UNKNOWN run whose request cannot be relied on. Nothing goes on by it, but
    the run ends and lets go of its target."""
    vote = click.vote
    run = runs.of_approval(connection, vote.approval_id)
    refusal = policy.may_answer_by_list(vote, people)
    if not refusal and (run is None or run.state != "unknown"):
        refusal = _ANSWERED
    refusal = refusal or _still_open(connection, run, vote, now)
    sentence = refusal or _looked(world, click)
    approvals.judge_vote(
        connection, vote.id, state="refused" if refusal else "counted", verdict=sentence, age_ms=people.age_ms
    )
    kind, data = "answer.refused" if refusal else f"answer.{vote.decision}", {"verdict": sentence}
    subject = f"run {run.id}" if run else f"vote {vote.id}"
    audit.append(connection, at=now, kind=kind, actor=str(vote.person), subject=subject, data=data)
    if refusal or run is None:
        _whisper(connection, click, sentence, None, now)
    else:
        ledger.closed(connection, world, run, applied=vote.decision == "applied", sentence=sentence, now=now)


def _still_open(connection: Connection, run: Run | None, vote: Vote, now: int) -> str:
    """Say why nobody can know yet that what was sent had no effect, or return an empty string."""
    doubted = runs.in_doubt(connection, run.id) if run else None
    until = (doubted.open_until or 0) if doubted else 0
    return "" if vote.decision == "applied" or now >= until else thread.too_early(until)


def _looked(world: World, click: Click) -> str:
    said = {"applied": "took effect", "again": "did not take effect, and wants it again"}
    return (
        f"{world.redactor.text(click.person_name)} looked and says that it "
        f"{said.get(click.vote.decision, 'did not take effect')}."
    )


def _review(connection: Connection, world: World, case: _Case) -> None:
    """Close the review of a break-glass with a person's word. The first word closes it."""
    approval, vote, now = case.request.approval, case.click.vote, case.now
    refusal = policy.may_review(approval, case.request.plan, *_votes(case.glass), vote, case.people)
    if refusal or case.glass is None:
        _judged(connection, world, case, "refused", "break_glass.review_refused", refusal)
        return
    name = world.redactor.text(case.click.person_name)
    sentence = f"{name} reviewed the break-glass for {approval.name}: {world.redactor.text(vote.reason)}"
    _judged(connection, world, case, "counted", "break_glass.reviewed", sentence)
    board.show_approval(connection, world, approval.id, now=now)
    board.show_alarm(connection, world, case.request, replace(case.glass, reviewed=case.click), now=now)
    board.say(connection, world, case.matter, f"reviewed:{approval.name}", thread.reviewed(sentence), now=now)


def _judged(
    connection: Connection,
    world: World,
    case: _Case,
    state: VoteState,
    kind: str,
    sentence: str,
    more: Mapping[str, Any] = MappingProxyType({}),
    taken: Sequence[str] = (),
) -> None:
    """Write a verdict into the vote and into the audit, with the votes that are ``taken`` back by it."""
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
            "judged": {vote.id: state} | dict.fromkeys(taken, "revoked"),
            **more,
        },
    )
    if state == "refused":
        _whisper(connection, case.click, sentence, board.thread_of(case.matter), case.now)


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
