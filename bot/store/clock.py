"""The store's time: the database's clock, which never goes back because its highest reading is stored, and which goes
on from there by what elapses while that clock is behind it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import BigInteger, ColumnElement, Connection, case, literal, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.steady import Steady
from bot.store.tables import counters

HIGH_WATER = "clock"
OPTION = "signoff_time"
"""The execution option of a database's connections that holds this process's ``Steady``."""
FAR_AHEAD_US = 60_000_000
"""Microseconds of a lead that people have to know of."""
# SQLite's clock has milliseconds.
_SQLITE_NOW = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000"
_POSTGRES_NOW = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"


def now(connection: Connection) -> int:
    """Return the database's time in microseconds. If that is behind the highest time that was ever stored or that this
    process read, because the clock was set back or was ahead once, time goes on from there by what elapses."""
    raw = int(connection.execute(select(_reading(connection))).scalar_one())
    own = _own(connection)
    time = max(raw, number(connection, HIGH_WATER), own.least() if own else 0)
    if own:
        own.saw(time, raw)
    return time


def advance(connection: Connection) -> int:
    """Return ``now`` and remember it, so that nothing decided at this instant can be undone by setting a clock back.

    On PostgreSQL this holds one row until the transaction ends: whoever decides something calls it first, before any
    other row is touched, so that deciding transactions queue up and never wait for each other crosswise.
    """
    _insert(connection, HIGH_WATER)
    own = _own(connection)
    # Read in the statement that holds the row: what waited for it must not come back with an older time.
    raw = _reading(connection)
    least = literal(own.least() if own else 0, BigInteger)
    stored = counters.c.value
    higher = case((stored > raw, case((stored > least, stored), else_=least)), (least > raw, least), else_=raw)
    statement = update(counters).where(counters.c.name == HIGH_WATER).values(value=higher)
    time, read = connection.execute(statement.returning(counters.c.value, raw)).one()
    if own:
        own.saw(int(time), int(read))
    return int(time)


def lead(connection: Connection) -> str:
    """Say that time is well ahead of the database's clock and what follows from that, or return an empty string."""
    raw = int(connection.execute(select(_reading(connection))).scalar_one())
    ahead = now(connection) - raw
    if ahead < FAR_AHEAD_US:
        return ""
    by = timedelta(microseconds=ahead - ahead % 1_000_000)
    return (
        f"Signoff's is {by} ahead of the database's clock, which was ahead once or was set back; nothing that expired "
        "comes back, so it goes on from there, and freeze windows and the times that are shown are off by as much"
    )


def next_number(connection: Connection, name: str) -> int:
    """Return the next number of a series that people read (``incident`` gives INC-1, INC-2, …). Never reused."""
    _insert(connection, name)
    statement = update(counters).where(counters.c.name == name).values(value=counters.c.value + 1)
    return int(connection.execute(statement.returning(counters.c.value)).scalar_one())


def number(connection: Connection, name: str) -> int:
    """Return the newest number of a series, 0 before the first."""
    found = connection.execute(select(counters.c.value).where(counters.c.name == name)).scalar_one_or_none()
    return int(found or 0)


def _own(connection: Connection) -> Steady | None:
    own: Steady | None = connection.get_execution_options().get(OPTION)
    return own


def _reading(connection: Connection) -> ColumnElement[int]:
    return literal_column(_SQLITE_NOW if connection.dialect.name == "sqlite" else _POSTGRES_NOW, BigInteger)


def _insert(connection: Connection, name: str) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(counters).values(name=name, value=0).on_conflict_do_nothing())
