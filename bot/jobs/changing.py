"""A changed policy or catalogue: said in the channel when it comes into force, and what it touches becomes void."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.chat import thread
from bot.domain.approval import Approval
from bot.domain.ask import Ask
from bot.jobs import board
from bot.jobs.outdated import outdated
from bot.jobs.world import World
from bot.store import approvals, asks, audit, matters, outbox
from bot.store.incidents import new_id
from bot.store.unreadable import UnreadableRow

LOOKED_AT = 1000


def announce(connection: Connection, world: World, *, now: int) -> list[str]:
    """Void the pending requests that were made under another policy or runbook, ask anew for those that Signoff made by
    itself, and say so if anything changed since a process last started. Returns the names of what is void."""
    before, _ = audit.last(connection, "serve", ("serve.started",))
    earlier = before.data if before else {}
    same = (earlier.get("policy"), earlier.get("catalogue")) == (world.rules.policy_digest, world.catalogue.digest)
    voided = [
        approval.name
        for approval in approvals.pending(connection, limit=LOOKED_AT)
        if _voided(connection, world, approval, now)
    ]
    if voided or (before and not same):
        payload = thread.policy_changed(len(voided)).payload()
        channel = world.rules.channel_for({})
        outbox.put(connection, key=f"policy:{now}", channel=channel, payload=payload, now=now, urgent=True)
    return voided


def _voided(connection: Connection, world: World, approval: Approval, now: int) -> bool:
    try:
        plan = approvals.request(connection, approval.id, lock=True).plan
    except UnreadableRow:
        return False  # can never run, and is reported where it is met
    why = outdated(world, plan)
    if not why or not approvals.move(connection, approval.id, before="pending", after="void", outcome=why, now=now):
        return False
    data = {"digest": approval.digest, "why": why}
    audit.append(connection, at=now, kind="approval.void", actor="signoff", subject=approval.name, data=data)
    matter = matters.get(connection, approval.matter_id)
    board.show_approval(connection, world, approval.id, now=now)
    board.show(connection, world, matter.id, now=now)
    board.say(connection, world, matter, f"void:{approval.name}", thread.void(approval, why), now=now)
    # What a person asked for is theirs to ask for again: they might not want it under other rules.
    if approval.requester is None and matters.is_open(connection, matter):
        given = plan.record["parameters"]
        asks.receive(connection, Ask(new_id(), matter.id, approval.runbook, given, None, "", approval.id, now))
    return True
