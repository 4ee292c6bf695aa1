"""Which waiting message a channel sends next: posts keep their order, decisions go first, edits hold nothing up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.store.outbox import Message

# No attempt at sending lasts this long; a claim that is older belongs to a process that died.
LEASE_US = 60_000_000
# A post may arrive a little after its sender gave up or died; it is looked up only then.
SETTLE_US = 2_000_000


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds that posts, edits, urgent edits and whispers have to wait for the pace of the channel."""

    post: float = 0.0
    edit: float = 0.0
    urgent_edit: float = 0.0
    whisper: float = 0.0


@dataclass(frozen=True, slots=True)
class Next:
    """The message to send now, if any, else the seconds until it is worth asking again."""

    message: Message | None
    after: float = 1.0


def choose(queue: Sequence[Message], waits: Waits, *, now: int, orphaned_before: int = 0) -> Next:
    """Pick from a channel's queue (urgent first, then oldest). ``now`` is the database's time in microseconds.

    A claim taken before ``orphaned_before`` has no living owner: on SQLite that is the start of the only process.
    """
    held = False
    soonest = 3600.0
    for message in queue:
        wait = _wait(message, waits, now=now, orphaned_before=orphaned_before)
        if is_edit(message) or message.kind == "ephemeral":
            if wait <= 0:
                return Next(message)
        elif message.state == "failed":
            if wait <= 0 and not held:
                return Next(message)
        elif not held:
            if wait <= 0:
                return Next(message)
            held = True
        soonest = min(soonest, wait) if wait > 0 else soonest
    return Next(None, soonest)


def is_edit(message: Message) -> bool:
    """Say whether Slack already shows the message, so that it is edited in place."""
    return message.ts is not None


def in_doubt(message: Message) -> bool:
    """Say whether an earlier post of this message may have arrived."""
    return message.ts is None and message.state in ("doubt", "sending")


def _wait(message: Message, waits: Waits, *, now: int, orphaned_before: int) -> float:
    if message.state == "sending":
        since = message.sending_since or 0
        lease = SETTLE_US if since < orphaned_before else LEASE_US
        return (since + lease - now) / 1_000_000
    due = (message.not_before - now) / 1_000_000
    if is_edit(message):
        return max(due, waits.urgent_edit if message.urgent else waits.edit)
    return max(due, waits.whisper if message.kind == "ephemeral" else waits.post)
