"""GitHub's deliveries: each event takes effect once, however often and under whatever id it is delivered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, or_, select

from bot.domain.github import CommandEvent, DeployEvent, GitHubEvent, PullEvent, PushEvent, RunEvent
from bot.store import changes, ci, pulls, work
from bot.store.tables import github_deliveries
from bot.store.work import Due


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a delivery came to, and the job to start, if any."""

    outcome: Literal["stored", "seen", "nothing"]
    due: Due | None = None


def accept(
    connection: Connection, event: GitHubEvent, *, name: str, delivery: str, fingerprint: str, now: int
) -> Accepted:
    """Store an event in the caller's transaction. ``fingerprint`` is the hash of its name and body.

    What was stored before changes nothing, but work of it that is not done, or was given up, is started anew: a person
    who redelivers a failed event, perhaps after giving a permission that was missing, need not wait.
    """
    # The delivery's id is not signed: a captured body under another id is the same event.
    same = or_(github_deliveries.c.id == fingerprint, github_deliveries.c.delivery == delivery)
    known = connection.execute(select(github_deliveries).where(same).limit(1)).first()
    if known is not None:
        if isinstance(event, PullEvent) and work.is_given_up(connection, "change", changes.row_of(event)):
            _again(connection, "change", changes.row_of(event), now)
        return Accepted("seen", _again(connection, known.kind, known.row_id, now) if known.kind else None)
    due = _store(connection, event, now)
    connection.execute(
        github_deliveries.insert().values(
            id=fingerprint,
            delivery=delivery,
            event=name,
            repository=event.repository,
            kind=due.kind if due else "",
            row_id=due.row_id if due else "",
            received_at=now,
        )
    )
    return Accepted("stored" if due else "nothing", due)


def forget(connection: Connection, *, before: int) -> int:
    """Delete what GitHub no longer redelivers (it keeps deliveries for three days)."""
    return int(connection.execute(delete(github_deliveries).where(github_deliveries.c.received_at < before)).rowcount)


def _store(connection: Connection, event: GitHubEvent, now: int) -> Due | None:
    match event:
        case CommandEvent():
            return Due("command", *pulls.accept_command(connection, event, now=now))
        case RunEvent():
            return Due("ci", *ci.accept(connection, event))
        case PullEvent():
            # Of two jobs one is named; the sweep starts the other.
            row_id, generation = pulls.accept(connection, event)
            if changes.is_change(event):
                changes.accept(connection, event)
            return Due("pull", row_id, generation) if generation is not None else None
        case PushEvent() | DeployEvent():
            return Due("change", *changes.accept(connection, event)) if changes.is_change(event) else None


def _again(connection: Connection, kind: str, row_id: str, now: int) -> Due | None:
    generation = work.wanted(connection, kind, row_id)
    if work.is_done(connection, Due(kind, row_id, generation)) and not work.is_given_up(connection, kind, row_id):
        return None
    return Due(kind, row_id, work.want(connection, kind, row_id, now=now))
