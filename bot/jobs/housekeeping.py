"""Housekeeping: what happens because time passed. Requests expire, silent incidents turn stale, jobs are forgotten."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog
from sqlalchemy import Connection

from bot.chat import thread
from bot.jobs import board
from bot.jobs.world import World
from bot.store import approvals, audit, changes, ci, clock, deliveries, incidents, log_requests, matters, unreadable
from bot.store.unreadable import UnreadableRow

log = structlog.get_logger(__name__)

EVERY_SECONDS = 5.0
FORGET_EVERY_SECONDS = 600.0
DAY_US = 86_400 * 1_000_000
LOGS_KEPT_US = 7 * DAY_US
DELIVERIES_KEPT_US = 7 * DAY_US  # GitHub redelivers for three
CHANGES_KEPT_US = 30 * DAY_US
CI_KEPT_US = 90 * DAY_US  # as long as GitHub keeps logs


async def keep_house(world: World) -> None:
    """Run for ever. Every act is a compare-and-set, so any number of processes may do this at once."""
    loop = asyncio.get_running_loop()
    forget_at = loop.time() + FORGET_EVERY_SECONDS
    while True:
        try:
            if await tidy(world):
                world.outbox.kick()
            if loop.time() >= forget_at:
                forget_at = loop.time() + FORGET_EVERY_SECONDS
                await world.engine.forget()
                await world.database.write(forget)
        except Exception as error:
            log.warning("housekeeping failed; it is tried again", exc_info=error)
        await asyncio.sleep(EVERY_SECONDS)


def forget(connection: Connection) -> int:
    """Delete what is too old to be of use to anybody. Returns how many rows."""
    now = clock.now(connection)
    return (
        log_requests.forget(connection, before=now - LOGS_KEPT_US)
        + deliveries.forget(connection, before=now - DELIVERIES_KEPT_US)
        + changes.forget(connection, before=now - CHANGES_KEPT_US)
        + ci.forget(connection, before=now - CI_KEPT_US)
    )


async def tidy(world: World) -> int:
    """Do what is due at the store's time, each thing in a transaction of its own, so that none stands in the way of
    another. Returns how much was done."""

    def look(connection: Connection) -> tuple[list[str], list[str]]:
        now = clock.advance(connection)
        silent_since = now - world.rules.stale_after
        return approvals.expired(connection, now=now), incidents.unseen(connection, before=silent_since)

    over, silent = await world.database.write(look)
    done = 0
    for act, row_id in [*((_expire, each) for each in over), *((_turn_stale, each) for each in silent)]:
        try:
            done += await world.database.write(partial(act, world, row_id))
        except UnreadableRow as problem:
            done += await world.database.write(partial(_set_aside, problem, row_id))
        except Exception as error:
            log.warning("housekeeping failed at one thing; it is tried again", row=row_id, exc_info=error)
    return done


def _expire(world: World, approval_id: str, connection: Connection) -> bool:
    now = clock.advance(connection)
    approval = approvals.get(connection, approval_id)
    sentence = "Nobody signed off in time."
    if not approvals.move(connection, approval_id, before="pending", after="expired", outcome=sentence, now=now):
        return False
    data = {"digest": approval.digest, "expires_at": approval.expires_at}
    audit.append(connection, at=now, kind="approval.expired", actor="signoff", subject=approval.name, data=data)
    board.show_approval(connection, world, approval_id, now=now)
    board.show(connection, world, approval.matter_id, now=now)
    matter = matters.get(connection, approval.matter_id)
    board.say(connection, world, matter, f"expired:{approval.name}", thread.expired(approval), now=now)
    return True


def _turn_stale(world: World, incident_id: str, connection: Connection) -> bool:
    now = clock.advance(connection)
    if not incidents.turn_stale(connection, incident_id):
        return False
    incident = incidents.get(connection, incident_id)
    seen = incident.last_seen_at
    data = {"last_seen_at": seen}
    audit.append(connection, at=now, kind="incident.stale", actor="signoff", subject=incident.name, data=data)
    board.show(connection, world, incident_id, now=now)
    board.say(connection, world, incident, "stale", thread.stale(incident), now=now, times=seen)
    return True


def _set_aside(problem: UnreadableRow, row_id: str, connection: Connection) -> bool:
    """Report what cannot be read, and close what it was needed for without a card: nothing unreadable can ever run."""
    now = clock.advance(connection)
    unreadable.report(connection, problem, now=now)
    data = {"table": problem.table, "row": problem.row_id, "why": problem.reason}
    audit.append(connection, at=now, kind="row.set_aside", actor="signoff", subject=row_id, data=data)
    sentence = "Nobody signed off in time, and its card can no longer be made."
    expired = approvals.close_unreadable(connection, row_id, outcome=sentence, now=now)
    return expired or incidents.turn_stale(connection, row_id)
