"""The schema of the database: brought up to date by Alembic before anything else touches it.

A migration only adds. Old and new replicas share one schema for a while, so what is no longer used is removed a
release later.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from bot.store.database import Database, DatabaseError

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 0x5167_6E6D


def migrate(database: Database) -> None:
    """Bring the schema up to date. Safe to call from several processes at once, and when there is nothing to do."""
    from alembic import command
    from alembic.config import Config

    def upgrade(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    database.write_now(upgrade)


def is_empty(database: Database) -> bool:
    """Say whether the database answers but has no tables of ours yet. Raises what the driver raises if it does not."""
    return not database.read_now(lambda connection: inspect(connection).has_table("alembic_version"))


def require(database: Database) -> None:
    """Check that there is a schema at all, for commands that only read. Raises ``DatabaseError`` with what to do."""
    if is_empty(database):
        raise DatabaseError("the database is empty: `signoff serve` creates its tables when it first starts")
