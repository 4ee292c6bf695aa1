"""A click's story: judge the stored vote against the people as they stand now, and start the run if it carries."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import Connection

from bot.approvals import policy
from bot.chat import thread
from bot.domain.approval import Electorate, Person
from bot.jobs import board
from bot.jobs.engine import Steps, Story
from bot.jobs.world import World
from bot.store import approvals, audit, clock, incidents, outbox, runs, work
from bot.store.approvals import Click, Request

KIND = "vote"
VERSION = 1


def story(world: World) -> Story:
    """Return the story of one click on an approval."""

    async def vote(steps: Steps, vote_id: str, _generation: int) -> None:
        run_id = await steps("judge", partial(_judge, world, vote_id))
        world.outbox.kick()
        if run_id:
            world.engine.start_soon("run", run_id, 1)

    return vote


async def electorate(world: World, people: set[Person], now: int) -> Electorate:
    """Read how each person stands in Slack at this moment. Who cannot be read is not known, and so may not vote."""
    standings = {person: await world.directory.standing(person) for person in sorted(people)}
    return Electorate(listed=world.rules.approvers, standings=standings, read_at=now)


async def _judge(world: World, vote_id: str) -> str | None:
    def before(connection: Connection) -> tuple[Click, Request, set[Person], int]:
        click = approvals.click(connection, vote_id)
        request = approvals.request(connection, click.vote.approval_id)
        voters = {other.vote.person for other in approvals.votes_of(connection, request.approval.id)}
        return click, request, voters, clock.now(connection)

    click, _request, voters, now = await world.database.read(before)
    people = await electorate(world, voters | {click.vote.person}, now)
    return await world.database.write(partial(_decide, world=world, vote_id=vote_id, people=people))


def _decide(connection: Connection, *, world: World, vote_id: str, people: Electorate) -> str | None:
    """Judge the vote and act on the verdict in one transaction. Returns the run that it starts, if any."""
    now = clock.advance(connection)
    click = approvals.click(connection, vote_id)
    work.done(connection, KIND, vote_id, work.wanted(connection, KIND, vote_id))
    if click.vote.state != "received":
        run = runs.of_approval(connection, click.vote.approval_id)
        return run.id if run and run.state == "starting" else None
    request = approvals.request(connection, click.vote.approval_id, lock=True)
    approval = request.approval
    counted = [other.vote for other in approvals.votes_of(connection, approval.id)]
    verdict = policy.judge(approval, request.plan, counted, click.vote, people, now)
    run_id = None
    if verdict.outcome == "approved":
        if approvals.move(
            connection, approval.id, before="pending", after="approved", outcome=verdict.sentence, now=now
        ):
            run = runs.start(connection, approval_id=approval.id, incident_id=approval.incident_id, now=now)
            run_id = run.id if run else None
    elif verdict.outcome == "denied":
        approvals.move(connection, approval.id, before="pending", after="denied", outcome=verdict.sentence, now=now)
    state = "refused" if verdict.outcome == "refused" else "counted"
    approvals.judge_vote(connection, vote_id, state=state, verdict=verdict.sentence)
    audit.append(
        connection,
        at=now,
        kind=f"vote.{verdict.outcome}",
        actor=str(click.vote.person),
        subject=approval.name,
        data=_facts(click, verdict.sentence, approval.digest, world),
    )
    if state == "refused":
        _tell_privately(connection, world, click, verdict.sentence, now)
        return None
    incident = incidents.get(connection, approval.incident_id)
    board.show_approval(connection, world, approval.id, now=now)
    board.show(connection, world, incident.id, now=now, urgent=True)
    if verdict.outcome == "denied":
        board.say(
            connection, world, incident, f"denied:{approval.name}", thread.denied(approval, verdict.sentence), now=now
        )
    return run_id


def _facts(click: Click, sentence: str, digest: str, world: World) -> dict[str, Any]:
    return {
        "decision": click.vote.decision,
        "voted_digest": click.vote.digest,
        "digest": digest,
        "reason": world.redactor.text(click.vote.reason),
        "verdict": sentence,
    }


def _tell_privately(connection: Connection, world: World, click: Click, sentence: str, now: int) -> None:
    outbox.put(
        connection,
        key=f"answer:{click.vote.id}",
        channel=click.channel,
        payload=thread.refused(sentence).payload(),
        kind="ephemeral",
        recipient=click.vote.person.user_id,
        now=now,
        urgent=True,
    )
