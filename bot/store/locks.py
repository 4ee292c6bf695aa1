"""Locks: one mutation of a target at a time, across all processes. A run holds its targets' keys until it is final.

A lock is a row, so it outlives every process; an UNKNOWN run keeps its locks until a person has answered.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select, update

from bot.store.tables import locks, runs


def take(connection: Connection, run_id: str, keys: Collection[str], *, now: int) -> str | None:
    """Take all of these keys for a run, or none. Returns None, or the id of a run that holds one of them.

    The caller has advanced the clock in this transaction, so no two of them do this at once.
    """
    taken = held(connection)
    holder = next((taken[key] for key in sorted(keys) if taken.get(key, run_id) != run_id), None)
    free = [{"key": key, "run_id": run_id, "since": now} for key in sorted(keys) if key not in taken]
    if holder is None and free:
        connection.execute(insert(locks), free)
    waits = update(runs).where(runs.c.id == run_id, runs.c.state == "starting")
    connection.execute(waits.values(waits_for=holder))
    return holder


def release(connection: Connection, run_id: str, *, now: int) -> None:
    """Let go of what a run holds, and accept the work of the runs that wait for it."""
    connection.execute(delete(locks).where(locks.c.run_id == run_id))
    waiting = update(runs).where(runs.c.waits_for == run_id, runs.c.state == "starting")
    connection.execute(waiting.values(waits_for=None, wanted=runs.c.wanted + 1, attempts=0, not_before=now))


def held(connection: Connection) -> dict[str, str]:
    """Return the keys that are held, each with the id of its run."""
    return {row.key: row.run_id for row in connection.execute(select(locks.c.key, locks.c.run_id))}
