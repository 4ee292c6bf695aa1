"""The audit: append-only, numbered, hash-chained rows, written in the transaction of what they record.

The chain shows every change, removal and insertion in the middle; the counter of rows shows a removal at the end. Who
can write to the database can forge both: keep the head that ``signoff audit verify`` prints somewhere else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from bot.domain.audit import GENESIS, AuditEvent, chain_hash
from bot.domain.canonical import canonical
from bot.store.clock import next_number, number
from bot.store.tables import audit

SERIES = "audit"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a check of the chain: how many rows hold, and what is wrong with the first that does not."""

    rows: int
    head: str
    first_bad: int | None = None
    problem: str = ""


def append(
    connection: Connection, *, at: int, kind: str, actor: str, subject: str, data: Mapping[str, Any]
) -> AuditEvent:
    """Add one event to the chain. It is durable when, and only when, the surrounding transaction is.

    ``data`` must be plain JSON and already redacted. ``actor`` is a person's ids, ``signoff`` or a source.
    """
    # Taking the number holds the counter's row until this transaction ends, so appends queue up behind one another.
    seq = next_number(connection, SERIES)
    last = connection.execute(select(audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).scalar_one_or_none()
    previous = last or GENESIS
    stored = canonical(data).decode()
    value = chain_hash(
        seq=seq, at=at, kind=kind, actor=actor, subject=subject, data=json.loads(stored), previous=previous
    )
    connection.execute(
        audit.insert().values(
            seq=seq, at=at, kind=kind, actor=actor, subject=subject, data=stored, previous=previous, hash=value
        )
    )
    return AuditEvent(seq, at, kind, actor, subject, json.loads(stored), previous, value)


def verify(connection: Connection) -> Verdict:
    """Check the whole chain in order. Constant memory; names the first bad row. Rows that are added meanwhile by a
    live ``serve`` do no harm."""
    # Read before the rows: the newest row it counts must be among them.
    counted = number(connection, SERIES)
    expected, previous, rows = 1, GENESIS, 0
    result = connection.execution_options(stream_results=True, yield_per=500).execute(
        select(audit).order_by(audit.c.seq)
    )
    for row in result:
        problem = _problem(row, expected, previous)
        if problem:
            return Verdict(rows, previous, min(expected, row.seq), problem)
        expected, previous, rows = expected + 1, row.hash, rows + 1
    if rows < counted:
        return Verdict(rows, previous, expected, f"row {expected} is missing: {counted} rows were written")
    return Verdict(rows, previous)


def _problem(row: Row[Any], expected: int, previous: str) -> str:
    if row.seq != expected:
        return f"row {expected} is missing: the next row is {row.seq}"
    if row.previous != previous:
        return f"row {row.seq} does not follow row {row.seq - 1}"
    try:
        value = chain_hash(
            seq=row.seq,
            at=row.at,
            kind=row.kind,
            actor=row.actor,
            subject=row.subject,
            data=json.loads(row.data),
            previous=row.previous,
        )
    except (ValueError, TypeError, RecursionError):
        return f"row {row.seq} cannot be read: its data is not JSON"
    return "" if value == row.hash else f"row {row.seq} was changed: its hash does not match its content"
