"""The store's time: the database's clock, which never goes back because its highest reading is stored."""

from __future__ import annotations

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.tables import counters

HIGH_WATER = "clock"
_SQLITE_NOW = text("SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000")
_POSTGRES_NOW = text("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)")


def now(connection: Connection) -> int:
    """Return the database's time in microseconds, or the highest time it has ever stored if its clock was set back."""
    raw = connection.execute(_SQLITE_NOW if connection.dialect.name == "sqlite" else _POSTGRES_NOW).scalar_one()
    seen = connection.execute(select(counters.c.value).where(counters.c.name == HIGH_WATER)).scalar_one_or_none()
    return max(int(raw), seen or 0)


def advance(connection: Connection) -> int:
    """Return ``now`` and remember it, so that nothing decided at this instant can be undone by setting a clock back."""
    instant = now(connection)
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(counters).values(name=HIGH_WATER, value=instant)
    connection.execute(insert.on_conflict_do_nothing())
    connection.execute(
        update(counters).where(counters.c.name == HIGH_WATER, counters.c.value < instant).values(value=instant)
    )
    return instant


def next_number(connection: Connection, name: str) -> int:
    """Return the next number of a series that people read (``incident`` gives INC-1, INC-2, …). Never reused."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(counters).values(name=name, value=0).on_conflict_do_nothing())
    statement = update(counters).where(counters.c.name == name).values(value=counters.c.value + 1)
    return int(connection.execute(statement.returning(counters.c.value)).scalar_one())
