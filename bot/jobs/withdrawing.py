"""Withdrawing: requests for sign-off that nobody needs any more stop asking, and say why."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.chat import thread
from bot.domain.approval import Approval
from bot.domain.ask import Ask
from bot.domain.matter import Matter
from bot.jobs import board
from bot.jobs.world import World
from bot.store import approvals, asks, audit, joined, matters
from bot.store.incidents import new_id


def withdraw(connection: Connection, world: World, matter: Matter, why: str, *, now: int) -> int:
    """Void a matter's pending requests that Signoff proposed by itself. Returns how many.

    What a person asked for is that person's to withdraw, and what is approved already is its run's to end.
    """
    withdrawn = 0
    for approval in approvals.of_matter(connection, matter.id):
        if approval.requester is not None or approval.state != "pending":
            continue
        if not approvals.move(connection, approval.id, before="pending", after="void", outcome=why, now=now):
            continue
        data = {"digest": approval.digest, "why": why}
        audit.append(connection, at=now, kind="approval.void", actor="signoff", subject=approval.name, data=data)
        board.show_approval(connection, world, approval.id, now=now)
        board.say(connection, world, matter, f"void:{approval.name}", thread.void(approval, why), now=now)
        _ask_for_others(connection, approval, now)
        withdrawn += 1
    return withdrawn


def _ask_for_others(connection: Connection, approval: Approval, now: int) -> None:
    """Ask anew for a matter that wanted the same and is still open; the others join that."""
    for matter_id in joined.matters_of(connection, approval.id):
        if matters.is_open(connection, matters.get(connection, matter_id)):
            given = approvals.request(connection, approval.id).plan.record["parameters"]
            asks.receive(connection, Ask(new_id(), matter_id, approval.runbook, given, None, "", approval.id, now))
