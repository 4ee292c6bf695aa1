"""The store's time: the database's clock, which never goes back because its highest reading is stored."""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, Connection, case, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.tables import counters

HIGH_WATER = "clock"
# SQLite's clock has milliseconds.
_SQLITE_NOW = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000"
_POSTGRES_NOW = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"


def now(connection: Connection) -> int:
    """Return the database's time in microseconds, or the highest time it has ever stored if its clock was set back."""
    raw = connection.execute(select(_reading(connection))).scalar_one()
    return max(int(raw), number(connection, HIGH_WATER))


def advance(connection: Connection) -> int:
    """Return ``now`` and remember it, so that nothing decided at this instant can be undone by setting a clock back.

    On PostgreSQL this holds one row until the transaction ends: whoever decides something calls it first, before any
    other row is touched, so that deciding transactions queue up and never wait for each other crosswise.
    """
    _insert(connection, HIGH_WATER)
    # Read in the statement that holds the row: what waited for it must not come back with an older time.
    raw = _reading(connection)
    higher = case((counters.c.value > raw, counters.c.value), else_=raw)
    statement = update(counters).where(counters.c.name == HIGH_WATER).values(value=higher)
    return int(connection.execute(statement.returning(counters.c.value)).scalar_one())


def next_number(connection: Connection, name: str) -> int:
    """Return the next number of a series that people read (``incident`` gives INC-1, INC-2, …). Never reused."""
    _insert(connection, name)
    statement = update(counters).where(counters.c.name == name).values(value=counters.c.value + 1)
    return int(connection.execute(statement.returning(counters.c.value)).scalar_one())


def number(connection: Connection, name: str) -> int:
    """Return the newest number of a series, 0 before the first."""
    found = connection.execute(select(counters.c.value).where(counters.c.name == name)).scalar_one_or_none()
    return int(found or 0)


def _reading(connection: Connection) -> ColumnElement[int]:
    return literal_column(_SQLITE_NOW if connection.dialect.name == "sqlite" else _POSTGRES_NOW, BigInteger)


def _insert(connection: Connection, name: str) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(counters).values(name=name, value=0).on_conflict_do_nothing())
