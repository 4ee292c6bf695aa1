"""Rows that want work: raise a generation, find what is due, and record how it went."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, func, select, update

from bot.store import unreadable
from bot.store.tables import asks, changes, ci_runs, groups, incidents, log_requests, pull_commands, pulls, runs, votes
from bot.store.unreadable import UnreadableRow

KINDS: dict[str, Table] = {
    "group": groups,
    "investigation": incidents,
    "ask": asks,
    "vote": votes,
    "run": runs,
    "pull": pulls,
    "command": pull_commands,
    "ci": ci_runs,
    "change": changes,
    "logs": log_requests,
}

FIRST_RETRY_US = 2_000_000
LAST_RETRY_US = 300_000_000


@dataclass(frozen=True, slots=True)
class Due:
    """One row whose accepted work is not done: a job kind:row_id:generation has to run."""

    kind: str
    row_id: str
    generation: int


def want(connection: Connection, kind: str, row_id: str, *, now: int = 0) -> int:
    """Accept work for a row, in the caller's transaction, and return its new generation. It may start from ``now``."""
    table = KINDS[kind]
    statement = update(table).where(table.c.id == row_id).values(wanted=table.c.wanted + 1, attempts=0, not_before=now)
    return int(connection.execute(statement.returning(table.c.wanted)).scalar_one())


def wanted(connection: Connection, kind: str, row_id: str) -> int:
    """Return the newest accepted generation of a row, for a job that does all of it in this one transaction."""
    table = KINDS[kind]
    return int(connection.execute(select(table.c.wanted).where(table.c.id == row_id)).scalar_one())


def is_done(connection: Connection, due: Due) -> bool:
    """Say whether a job is no longer needed: its work is done, or its row is gone."""
    table = KINDS[due.kind]
    done = connection.execute(select(table.c.done).where(table.c.id == due.row_id)).scalar_one_or_none()
    return done is None or done >= due.generation


def done(connection: Connection, kind: str, row_id: str, generation: int) -> None:
    """Record that all work accepted up to ``generation`` is done."""
    table = KINDS[kind]
    connection.execute(
        update(table).where(table.c.id == row_id, table.c.done < generation).values(done=generation, attempts=0)
    )


def give_up(connection: Connection, kind: str, row_id: str, generation: int) -> None:
    """Record that work cannot be done as things are: it is not tried again until somebody asks for it once more.

    Only rows about GitHub can be given up.
    """
    done(connection, kind, row_id, generation)
    table = KINDS[kind]
    connection.execute(update(table).where(table.c.id == row_id).values(given_up=generation))


def is_given_up(connection: Connection, kind: str, row_id: str) -> bool:
    """Say whether the newest work of a row was given up. A row that is gone wants nothing."""
    table = KINDS[kind]
    row = connection.execute(select(table.c.given_up, table.c.wanted).where(table.c.id == row_id)).first()
    return row is not None and 0 < row.given_up == row.wanted


def failed(connection: Connection, kind: str, row_id: str, generation: int, *, now: int) -> int | None:
    """Accept the work of a failed job anew, to start after a growing delay (2 s to 5 min). Returns the new generation,
    or None if newer work was accepted meanwhile, which then covers it."""
    table = KINDS[kind]
    attempts = connection.execute(select(table.c.attempts).where(table.c.id == row_id)).scalar_one_or_none() or 0
    delay = min(FIRST_RETRY_US << min(attempts, 10), LAST_RETRY_US)
    # Compare and set: work that is accepted at the same moment must keep its own start.
    accepted = connection.execute(
        update(table)
        .where(table.c.id == row_id, table.c.wanted == generation, table.c.done < generation)
        .values(wanted=generation + 1, attempts=attempts + 1, not_before=now + delay)
    )
    return generation + 1 if accepted.rowcount == 1 else None


def attempts(connection: Connection, kind: str, row_id: str) -> int:
    """Return how many times in a row the work of a row has failed."""
    table = KINDS[kind]
    return int(connection.execute(select(table.c.attempts).where(table.c.id == row_id)).scalar_one())


def due(connection: Connection, *, now: int, limit: int = 200) -> list[Due]:
    """Return rows whose accepted work is not done and may start, longest waiting first: at most ``limit`` of each kind,
    so that a storm of one kind hides no click."""
    found = []
    for kind, table in KINDS.items():
        rows = connection.execute(
            select(table.c.id, table.c.wanted)
            .where(table.c.done < table.c.wanted, table.c.not_before <= now)
            .order_by(table.c.not_before)
            .limit(limit)
        )
        found += [Due(kind, row.id, row.wanted) for row in rows]
    return found


def struggling(connection: Connection, *, attempts: int = 3) -> int:
    """Count rows whose work has failed at least ``attempts`` times in a row and is still not done."""
    total = 0
    for table in KINDS.values():
        stuck = select(func.count()).select_from(table)
        stuck = stuck.where(table.c.done < table.c.wanted, table.c.attempts >= attempts)
        total += int(connection.execute(stuck).scalar_one())
    return total


def set_aside(connection: Connection, problem: UnreadableRow, *, kind: str, row_id: str, now: int) -> None:
    """Report a row that cannot be read and stop asking for the work that needs it."""
    unreadable.report(connection, problem, now=now)
    table = KINDS[kind]
    connection.execute(update(table).where(table.c.id == row_id).values(done=table.c.wanted))
