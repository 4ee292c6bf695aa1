"""Stops as rows: whether actions are off, read in the very transaction that begins a call."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from bot.domain.stop import Asker, Stop
from bot.store.approvals import person
from bot.store.clock import next_number
from bot.store.tables import stops


def current(connection: Connection) -> Stop | None:
    """Return the stop that holds now, or None if actions may start."""
    query = select(stops).where(stops.c.lifted_at.is_(None)).order_by(stops.c.number.desc()).limit(1)
    row = connection.execute(query).first()
    if row is None:
        return None
    asked = None
    if row.lift_asked_by is not None:
        asked = Asker(person(row.lift_asked_by), row.lift_asked_name or "", row.lift_asked_at or 0)
    return Stop(row.number, Asker(person(row.person), row.person_name, row.at), row.reason, asked)


def begin(connection: Connection, by: Asker, reason: str) -> Stop:
    """Turn actions off. The caller holds the clock's row and has seen that they are on."""
    number = next_number(connection, "stop")
    values = {"number": number, "at": by.at, "person": str(by.person), "person_name": by.name, "reason": reason}
    connection.execute(stops.insert().values(**values))
    return Stop(number, by, reason)


def ask_lift(connection: Connection, number: int, by: Asker) -> None:
    """Record the first of the two people who let actions start again."""
    values = {"lift_asked_by": str(by.person), "lift_asked_name": by.name, "lift_asked_at": by.at}
    connection.execute(update(stops).where(stops.c.number == number).values(**values))


def lift(connection: Connection, number: int, by: Asker) -> None:
    """Turn actions on again."""
    values = {"lifted_by": str(by.person), "lifted_name": by.name, "lifted_at": by.at}
    connection.execute(update(stops).where(stops.c.number == number, stops.c.lifted_at.is_(None)).values(**values))
