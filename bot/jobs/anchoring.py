"""Anchoring: the audit's head is looked at often and noted elsewhere from time to time, so that lost rows show."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import Connection

from bot.chat import thread
from bot.domain.chain import Row
from bot.jobs.world import World
from bot.store import audit, clock, outbox
from bot.store.anchors import AnchorError

log = structlog.get_logger(__name__)

EVERY_SECONDS = 30.0
THREAD = "audit:anchors"


async def keep_anchors(world: World) -> None:
    """Run for ever: note the head at the start and then as often as configured, if there is a newer one."""
    loop = asyncio.get_running_loop()
    due = 0.0
    if world.anchors.torn:
        log.warning("lines of the anchor file were cut off in writing", lines=list(world.anchors.torn))
    while True:
        try:
            if await look(world, note=loop.time() >= due):
                due = loop.time() + world.rules.anchor_every / 1_000_000
        except Exception as error:
            log.warning("the audit's head could not be noted; it is tried again", error=type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)


async def look(world: World, *, note: bool) -> bool:
    """See whether the audit still holds what was noted of it, and remember its head; ``note`` it elsewhere too. Heads
    of a chain that is broken are noted as well: its end must not be cut off either. Returns whether it was noted."""
    anchors = world.anchors

    def lost(connection: Connection) -> str:
        for seq, value in sorted(anchors.seen.items()):
            row = audit.at(connection, seq)
            if row is None or row.hash != value:
                what = "is gone" if row is None else "is another one now"
                return f"row {seq} of the audit {what}, which was noted as {value[:16]}"
        return ""

    def read(connection: Connection) -> tuple[Row | None, int, str]:
        return audit.head(connection), clock.now(connection), lost(connection)

    head, now, trouble = await world.database.read(read)
    if trouble and trouble != anchors.trouble:
        anchors.trouble = trouble
        log.error("the audit was changed from outside", why=trouble)
    if head is None:
        return False
    anchors.remember(head)
    if not note:
        return False
    await _write(world, head, now)
    if world.rules.anchor_channel:
        await world.database.write(lambda connection: _say(connection, world, head, now))
        world.outbox.kick()
    return True


async def note(world: World) -> None:
    """Note the head at once, in memory and in the file: nothing that was begun can be cut off unnoticed."""
    head, now = await world.database.read(lambda connection: (audit.head(connection), clock.now(connection)))
    if head is not None:
        world.anchors.remember(head)
        await _write(world, head, now)


async def _write(world: World, head: Row, now: int) -> None:
    try:
        await asyncio.to_thread(world.anchors.write, head, now=now)
    except AnchorError as error:
        log.error("the audit's head could not be noted", why=str(error))


def _say(connection: Connection, world: World, head: Row, now: int) -> None:
    """Post the head in its thread, once a period however many replicas there are."""
    key = f"{THREAD}:{now // world.rules.anchor_every}"
    if outbox.find(connection, key) is not None:
        return
    channel = world.rules.anchor_channel
    first = thread.anchors().payload()
    outbox.put(connection, key=THREAD, channel=channel, payload=first, now=now)
    said = thread.anchor(head.seq, head.hash).payload()
    outbox.put(connection, key=key, channel=channel, payload=said, thread_key=THREAD, now=now)
