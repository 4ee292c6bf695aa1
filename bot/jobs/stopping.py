"""Turning all actions off, and on again: the word is judged, audited and announced in one transaction.

Off does not wait for Slack: whom the configuration lists is believed at once; what Slack says of them is said after.
"""

from __future__ import annotations

import asyncio
from functools import partial

from sqlalchemy import Connection

from bot.approvals import stopping
from bot.approvals.stopping import Ruling, Wish
from bot.chat import thread
from bot.domain.approval import Electorate, Person
from bot.jobs import board
from bot.jobs.people import FOR_A_DENIAL, FOR_AN_APPROVAL, FRESH, electorate
from bot.jobs.world import World
from bot.store import approvals, audit, clock, outbox, runs, stops, work

CHECK_S = 0.5
"""How long Slack is asked about somebody whose word is stored already; they wait for their answer meanwhile."""


async def turn(world: World, wish: Wish, person: Person, name: str, reason: str) -> str:
    """Turn actions off or on as far as this person's word goes. Returns what to tell them."""
    now, stop = await world.database.read(lambda connection: (clock.now(connection), stops.current(connection)))
    groups = world.rules.policy.groups
    at_once = wish == "off" and any(person in group.users for group in groups.values())
    if at_once:
        people = Electorate({name: group.users for name, group in groups.items()}, {}, now)
    else:
        max_age = FOR_A_DENIAL if wish == "off" else FOR_AN_APPROVAL
        first = {stop.lift_asked.person} if stop is not None and stop.lift_asked is not None else set()
        people = await electorate(world, {person} | first, groups, now, max_age=max_age)
    who = world.redactor.text(name) or person.user_id
    why = world.redactor.text(reason)
    turned = partial(_turn, world=world, wish=wish, person=person, name=who, reason=why, people=people)
    ruling = await world.database.write(turned, urgent=True)
    world.outbox.kick()
    doubt = await _checked(world, person, who) if at_once and ruling.act == "stop" else ""
    return f"{ruling.sentence} {doubt}".rstrip()


async def _checked(world: World, person: Person, name: str) -> str:
    """Ask Slack about somebody who turned actions off on the word of the configuration, and say in the channel what
    speaks against them. They stay off: that is the safe direction, and two people turn them on."""
    try:
        async with asyncio.timeout(CHECK_S):
            against = stopping.faults((await world.directory.standing(person, max_age=FRESH)).value)
    except TimeoutError:
        return ""
    if not against:
        return ""

    def write(connection: Connection) -> None:
        now = clock.advance(connection)
        data = {"name": name, "verdict": against}
        said = audit.append(
            connection, at=now, kind=f"{stops.SUBJECT}.doubted", actor=str(person), subject=stops.SUBJECT, data=data
        )
        payload = thread.stop_doubted(name, against).payload()
        channel = world.rules.channel_for({})
        outbox.put(connection, key=f"actions:{said.seq}", channel=channel, payload=payload, now=now, urgent=True)

    await world.database.write(write)
    world.outbox.kick()
    return against


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
        for run_id in runs.held(connection, now=now):
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
