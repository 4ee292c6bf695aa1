"""Housekeeping: what happens because time passed. Requests expire, silent incidents turn stale, jobs are forgotten."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import Connection

from bot.chat import thread
from bot.jobs import board
from bot.jobs.world import World
from bot.store import approvals, audit, clock, incidents

log = structlog.get_logger(__name__)

EVERY_SECONDS = 5.0
FORGET_EVERY_SECONDS = 600.0


async def keep_house(world: World) -> None:
    """Run for ever. Every act is a compare-and-set, so any number of processes may do this at once."""
    loop = asyncio.get_running_loop()
    forget_at = loop.time() + FORGET_EVERY_SECONDS
    while True:
        try:
            if await world.database.write(lambda connection: tidy(connection, world)):
                world.outbox.kick()
            if loop.time() >= forget_at:
                forget_at = loop.time() + FORGET_EVERY_SECONDS
                await world.engine.forget()
        except Exception as error:
            log.warning("housekeeping failed; it is tried again", exc_info=error)
        await asyncio.sleep(EVERY_SECONDS)


def tidy(connection: Connection, world: World) -> int:
    """Do what is due at the store's time, in one transaction. Returns how much was done."""
    now = clock.advance(connection)
    done = 0
    for approval in approvals.expired(connection, now=now):
        sentence = "Nobody signed off in time."
        if not approvals.move(connection, approval.id, before="pending", after="expired", outcome=sentence, now=now):
            continue
        audit.append(
            connection,
            at=now,
            kind="approval.expired",
            actor="signoff",
            subject=approval.name,
            data={"digest": approval.digest, "expires_at": approval.expires_at},
        )
        board.show_approval(connection, world, approval.id, now=now)
        board.show(connection, world, approval.incident_id, now=now)
        incident = incidents.get(connection, approval.incident_id)
        board.say(connection, world, incident, f"expired:{approval.name}", thread.expired(approval), now=now)
        done += 1
    for incident in incidents.unseen(connection, before=now - world.rules.stale_after):
        if incidents.move(connection, incident.id, before="open", after="stale"):
            audit.append(
                connection,
                at=now,
                kind="incident.stale",
                actor="signoff",
                subject=incident.name,
                data={"last_seen_at": incident.last_seen_at},
            )
            board.show(connection, world, incident.id, now=now)
            board.say(
                connection, world, incident, "stale", thread.stale(incident), now=now, times=incident.last_seen_at
            )
            done += 1
    return done
