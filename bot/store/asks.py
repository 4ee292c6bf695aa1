"""Asks as rows: who wants which runbook run, and what became of that."""

from __future__ import annotations

from pydantic import TypeAdapter
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.approval import Person
from bot.domain.ask import Ask
from bot.store import signed, work
from bot.store.approvals import person
from bot.store.tables import approvals, asks
from bot.store.unreadable import parse_part

_ASK = TypeAdapter(Ask)
_PEOPLE = ("person", "on_behalf_of")


def receive(connection: Connection, ask: Ask, *, plan_at: int = 0) -> int | None:
    """Store an ask, and ask for the job that plans it from ``plan_at`` on. Returns that job's generation, None if it
    was stored before."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {name: getattr(ask, name) for name in Ask.__dataclass_fields__}
    people = {name: str(values[name]) if values[name] else None for name in _PEOPLE}
    values |= people | {"parameters": dict(ask.parameters), "evidence": list(ask.evidence)}
    sealed = signed.sealed(connection, asks, values)
    stored = connection.execute(insert(asks).values(**sealed).on_conflict_do_nothing())
    return work.want(connection, "ask", ask.id, now=plan_at) if stored.rowcount == 1 else None


def get(connection: Connection, ask_id: str) -> Ask:
    """Read an ask. Raises ``UnreadableRow`` if it no longer parses or is not as we wrote it."""
    row = connection.execute(select(asks).where(asks.c.id == ask_id)).one()
    signed.check(connection, asks, row)
    data = dict(row._mapping)
    people = {name: person(str(data[name])) if data[name] else None for name in _PEOPLE}
    return parse_part(_ASK, data | people, "asks", row.id)


def waiting(connection: Connection, asker: Person) -> int:
    """Count what this person asked for that still waits: to be planned, or for somebody's sign-off."""
    unplanned = select(func.count()).select_from(asks).where(asks.c.person == str(asker), asks.c.outcome == "")
    pending = select(func.count()).select_from(approvals)
    pending = pending.where(approvals.c.requester == str(asker), approvals.c.state == "pending")
    return int(connection.execute(unplanned).scalar_one()) + int(connection.execute(pending).scalar_one())


def settle(connection: Connection, ask_id: str, *, approval_id: str | None, outcome: str) -> bool:
    """Record what became of an ask, once. Returns whether this call did it. Raises ``UnreadableRow`` if the row is not
    as we wrote it."""
    values = {"approval_id": approval_id, "outcome": outcome[:1000]}
    return signed.change(connection, asks, ask_id, before={"outcome": ""}, values=values)
