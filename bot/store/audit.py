"""The audit: append-only, numbered, hash-chained rows, written in the transaction of what they record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, text

from bot.domain.audit import GENESIS, AuditEvent, chain_hash
from bot.domain.canonical import canonical
from bot.store.tables import audit

_APPEND_LOCK = 0x5167_6E6F  # any constant: appends queue up behind one PostgreSQL advisory lock


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
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _APPEND_LOCK})
    last = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    seq, previous = (last.seq + 1, last.hash) if last else (1, GENESIS)
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
    """Check the whole chain in order. Constant memory; names the first bad row."""
    expected, previous, rows = 1, GENESIS, 0
    result = connection.execution_options(stream_results=True, yield_per=500).execute(
        select(audit).order_by(audit.c.seq)
    )
    for row in result:
        if row.seq != expected:
            return Verdict(rows, previous, expected, f"row {expected} is missing: the next row is {row.seq}")
        if row.previous != previous:
            return Verdict(rows, previous, row.seq, f"row {row.seq} does not follow row {row.seq - 1}")
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
        except ValueError:
            return Verdict(rows, previous, row.seq, f"row {row.seq} cannot be read: its data is not JSON")
        if value != row.hash:
            return Verdict(rows, previous, row.seq, f"row {row.seq} was changed: its hash does not match its content")
        expected, previous, rows = expected + 1, row.hash, rows + 1
    return Verdict(rows, previous)
