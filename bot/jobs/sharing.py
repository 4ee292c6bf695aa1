"""Sharing: which card a new request goes on, so that what Signoff proposes for one incident asks people once."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.chat import shared_card, thread
from bot.domain.approval import Approval
from bot.domain.matter import Matter
from bot.jobs import board
from bot.jobs.world import World
from bot.store import approvals


def place(connection: Connection, world: World, matter: Matter, approval: Approval, *, now: int) -> Approval:
    """Put a new request on the card of one that waits for the same matter and has room for both, and say so in the
    thread. Both must be Signoff's own: what a person asks for is a message of its own, because an edit notifies nobody.

    The caller has advanced the clock in this transaction, so no two are put on one card at once.
    """
    if approval.requester is not None:
        return approval
    beside = [
        each
        for each in approvals.of_matter(connection, matter.id)
        if each.state == "pending" and each.requester is None and each.id != approval.id
    ]
    new = board.shown(connection, world, approval.id)
    for card in dict.fromkeys(each.card for each in beside):
        if shared_card.fits([*board.on_card(connection, world, card), new]):
            placed = approvals.put_on(connection, approval.id, card)
            waiting = [each for each in beside if each.card == card]
            said = thread.joined(placed, board.what(connection, world, placed), waiting)
            board.say(connection, world, matter, f"joined:{placed.name}", said, now=now)
            return placed
    return approval
