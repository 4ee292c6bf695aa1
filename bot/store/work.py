"""Rows that want work: raise a generation, find what is due, and record how it went."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, literal, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.tables import groups, incidents, quarantine, runs, votes

KINDS: dict[str, Table] = {"group": groups, "investigation": incidents, "vote": votes, "run": runs}

FIRST_RETRY_US = 2_000_000
LAST_RETRY_US = 300_000_000


class UnreadableRow(Exception):
    """A stored row no longer parses. It is set aside and reported; everything else goes on."""

    def __init__(self, table: str, row_id: str, reason: str) -> None:
        super().__init__(f"{table} row {row_id} cannot be read: {reason}")
        self.table, self.row_id, self.reason = table, row_id, reason


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
    """Return the newest accepted generation of a row, which a job that starts now covers as a whole."""
    table = KINDS[kind]
    return int(connection.execute(select(table.c.wanted).where(table.c.id == row_id)).scalar_one())


def done(connection: Connection, kind: str, row_id: str, generation: int) -> None:
    """Record that all work accepted up to ``generation`` is done."""
    table = KINDS[kind]
    connection.execute(
        update(table).where(table.c.id == row_id, table.c.done < generation).values(done=generation, attempts=0)
    )


def failed(connection: Connection, kind: str, row_id: str, generation: int, *, now: int) -> int | None:
    """Accept the work of a failed job anew, to start after a growing delay (2 s to 5 min). Returns the new generation,
    or None if newer work was accepted meanwhile, which then covers it."""
    table = KINDS[kind]
    row = connection.execute(select(table.c.wanted, table.c.done, table.c.attempts).where(table.c.id == row_id)).first()
    if row is None or row.wanted > generation or row.done >= generation:
        return None
    delay = min(FIRST_RETRY_US << min(row.attempts, 10), LAST_RETRY_US)
    connection.execute(
        update(table)
        .where(table.c.id == row_id)
        .values(wanted=generation + 1, attempts=row.attempts + 1, not_before=now + delay)
    )
    return generation + 1


def due(connection: Connection, *, now: int, limit: int = 200) -> list[Due]:
    """Return rows whose accepted work is not done and may start, longest waiting first."""
    parts = [
        select(literal(kind).label("kind"), table.c.id, table.c.wanted, table.c.not_before).where(
            table.c.done < table.c.wanted, table.c.not_before <= now
        )
        for kind, table in KINDS.items()
    ]
    union = union_all(*parts).subquery()
    rows = connection.execute(select(union).order_by(union.c.not_before).limit(limit))
    return [Due(row.kind, row.id, row.wanted) for row in rows]


def struggling(connection: Connection, *, attempts: int = 3) -> int:
    """Count rows whose work has failed at least ``attempts`` times in a row."""
    total = 0
    for table in KINDS.values():
        total += len(connection.execute(select(table.c.id).where(table.c.attempts >= attempts).limit(100)).all())
    return total


def set_aside(connection: Connection, problem: UnreadableRow, *, kind: str, row_id: str, now: int) -> None:
    """Report a row that cannot be read and stop asking for its work."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(
        insert(quarantine)
        .values(table_name=problem.table, row_id=problem.row_id, reason=problem.reason[:500], at=now)
        .on_conflict_do_nothing()
    )
    table = KINDS[kind]
    connection.execute(update(table).where(table.c.id == row_id).values(done=table.c.wanted))


def aside(connection: Connection, limit: int = 20) -> list[str]:
    """Return a sentence for each row that was set aside."""
    rows = connection.execute(select(quarantine).order_by(quarantine.c.at).limit(limit))
    return [f"{row.table_name} row {row.row_id}: {row.reason}" for row in rows]
