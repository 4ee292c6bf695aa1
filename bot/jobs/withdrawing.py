"""Withdrawing: requests for sign-off that nobody needs any more stop asking, and say why."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.chat import thread
from bot.domain.matter import Matter
from bot.jobs import board
from bot.jobs.world import World
from bot.store import approvals, audit


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
        withdrawn += 1
    return withdrawn
