"""The schema: what the migrations make is what the tables say, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from bot.store import schema
from bot.store.database import Database, DatabaseError
from bot.store.tables import metadata


def differences(connection: Connection) -> list[object]:
    # Alembic takes an empty text as a default for a change on SQLite; PostgreSQL's comparison covers it.
    defaults = connection.dialect.name != "sqlite"
    options = {"compare_type": True, "compare_server_default": defaults, "target_metadata": metadata}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def test_the_migrations_make_exactly_the_tables(database: Database) -> None:
    assert database.read_now(differences) == []


def test_the_indexes_that_the_sweep_needs_are_partial(database: Database) -> None:
    def read(connection: Connection) -> dict[str, str]:
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'index'"
        if not database.is_sqlite:
            query = "SELECT indexname AS name, indexdef AS sql FROM pg_indexes WHERE schemaname = 'public'"
        return {row.name: row.sql or "" for row in connection.execute(text(query))}

    indexes = database.read_now(read)
    for table in ("alert_groups", "incidents", "votes", "runs", "log_requests"):
        assert "done < wanted" in indexes[f"{table}_due"].replace("(", "").replace(")", "")


def test_migrating_again_changes_nothing(database: Database) -> None:
    schema.migrate(database)
    assert database.read_now(differences) == []


def test_several_processes_may_migrate_at_once(database_url: str) -> None:
    opened = [Database(database_url) for _ in range(4)]
    for each in opened:
        # Of two that turn a new SQLite file to WAL at once one is told that it is locked, however long it would wait.
        each.write_now(lambda connection: connection.execute(text("SELECT 1")))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(schema.migrate, opened))
    assert opened[0].read_now(differences) == []
    for each in opened:
        each.close()


def test_a_database_without_tables_is_called_empty(database_url: str) -> None:
    opened = Database(database_url)
    opened.write_now(lambda connection: connection.execute(text("SELECT 1")))
    assert schema.is_empty(opened)
    with pytest.raises(DatabaseError, match="serve"):
        schema.require(opened)
    schema.migrate(opened)
    schema.require(opened)
    opened.close()


def test_a_migration_that_fails_leaves_nothing_behind(database_url: str, tmp_path: Path) -> None:
    opened = Database(database_url)
    opened.write_now(lambda connection: connection.execute(text("CREATE TABLE counters (name INTEGER)")))
    with pytest.raises(Exception, match="counters"):
        schema.migrate(opened)
    assert opened.read_now(lambda connection: inspect(connection).get_table_names()) == ["counters"]
    opened.close()
