"""Turning all actions off, and on again: the word is judged, audited and announced in one transaction."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection

from bot.approvals import stopping
from bot.approvals.stopping import Ruling, Wish
from bot.chat import thread
from bot.domain.approval import Electorate, Person
from bot.jobs import board
from bot.jobs.people import FOR_A_DENIAL, FOR_AN_APPROVAL, electorate
from bot.jobs.world import World
from bot.store import approvals, audit, clock, outbox, runs, stops, work


async def turn(world: World, wish: Wish, person: Person, name: str, reason: str) -> str:
    """Turn actions off or on as far as this person's word goes. Returns what to tell them."""
    now = await world.database.read(clock.now)
    max_age = FOR_A_DENIAL if wish == "off" else FOR_AN_APPROVAL
    people = await electorate(world, {person}, world.rules.policy.groups, now, max_age=max_age)
    who = world.redactor.text(name) or person.user_id
    why = world.redactor.text(reason)
    turned = partial(_turn, world=world, wish=wish, person=person, name=who, reason=why, people=people)
    ruling = await world.database.write(turned, urgent=True)
    world.outbox.kick()
    return ruling.sentence


def _turn(
    connection: Connection, *, world: World, wish: Wish, person: Person, name: str, reason: str, people: Electorate
) -> Ruling:
    now = clock.advance(connection)
    ruling = stopping.rule(stops.current(connection), wish, person, people, now)
    data = {"wish": wish, "name": name, "reason": reason, "verdict": ruling.sentence, "groups_age_ms": people.age_ms}
    kind = f"{stops.SUBJECT}.{ruling.act}"
    said = audit.append(connection, at=now, kind=kind, actor=str(person), subject=stops.SUBJECT, data=data)
    if ruling.act == "nothing":
        return ruling
    if ruling.act == "lift":
        for run_id in runs.starting(connection):
            work.want(connection, "run", run_id)
    outbox.put(
        connection,
        key=f"actions:{said.seq}",
        channel=world.rules.channel_for({}),
        payload=thread.actions_turned(ruling.act, name, reason).payload(),
        now=now,
        urgent=True,
    )
    if ruling.act != "ask":
        for approval in approvals.pending(connection):
            board.show_approval(connection, world, approval.id, now=now)
    return ruling
