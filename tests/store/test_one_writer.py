"""The writers of one SQLite file in one process take turns, whichever engine they come from."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text

from bot.store.database import Database
from bot.store.one_writer import take_turns


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A file with one table, open."""
    opened = Database(f"sqlite:///{tmp_path / 'signoff.db'}")
    opened.write_now(lambda connection: connection.execute(text("CREATE TABLE t (n INTEGER)")))
    yield opened
    opened.close()


def beside(database: Database) -> Engine:
    engine = database.beside()
    assert engine is not None
    return engine


def insert(connection: Connection) -> None:
    connection.execute(text("INSERT INTO t VALUES (1)"))


def test_nobody_meets_a_locked_database_even_if_none_would_wait_for_it(database: Database) -> None:
    engine = beside(database)
    for each in (engine, database.engine):
        event.listen(each, "connect", lambda connection, _record: connection.execute("PRAGMA busy_timeout=0"))
        each.dispose()

    def ours() -> None:
        for _ in range(50):
            database.write_now(insert)

    def theirs() -> None:
        for _ in range(50):
            with engine.begin() as connection:
                insert(connection)

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(work) for work in (ours, theirs, theirs, theirs)]:
            done.result(60)
    assert database.read_now(lambda connection: connection.execute(text("SELECT count(*) FROM t")).scalar()) == 200


def test_a_reader_waits_for_nobody(database: Database) -> None:
    inside, leave = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        insert(connection)
        inside.set()
        assert leave.wait(10)

    with ThreadPoolExecutor(1) as threads:
        held = threads.submit(database.write_now, hold)
        assert inside.wait(10)
        with beside(database).connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 0
        leave.set()
        held.result(10)


def test_a_turn_ends_with_its_transaction_however_that_ends(database: Database) -> None:
    def fail(connection: Connection) -> None:
        insert(connection)
        raise ValueError("undone")

    with pytest.raises(ValueError, match="undone"):
        database.write_now(fail)
    with beside(database).connect() as connection:
        insert(connection)
        connection.invalidate()
    began = time.monotonic()
    database.write_now(insert)
    assert time.monotonic() - began < 5
    assert database.read_now(lambda connection: connection.execute(text("SELECT count(*) FROM t")).scalar()) == 1


def test_a_turn_that_never_ends_leaves_the_decision_to_sqlite(tmp_path: Path) -> None:
    engine, turn = create_engine(f"sqlite:///{tmp_path / 'other.db'}"), threading.Lock()
    take_turns(engine, turn, seconds=0.05)
    assert turn.acquire()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    assert turn.locked()
    engine.dispose()


def test_postgresql_needs_none(database_url: str) -> None:
    opened = Database(database_url)
    assert (opened.beside() is None) == (not opened.is_sqlite)
    opened.close()
