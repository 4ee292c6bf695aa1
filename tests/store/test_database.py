"""The database: what is committed is durable, readers read beside writers, and a bad setting is said plainly."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from bot.store.database import Database, DatabaseError, NoDatabase, parse_url, said_by
from tests.waiting import wait_until


@pytest.fixture
def opened(database_url: str):
    database = Database(database_url)
    database.write_now(lambda c: c.execute(text("CREATE TABLE t (n INTEGER)")))
    yield database
    database.close()


def add(connection: Connection) -> None:
    connection.execute(text("INSERT INTO t VALUES (1)"))


def count(connection: Connection) -> int:
    return connection.execute(text("SELECT count(*) FROM t")).scalar_one()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "cannot be read: give sqlite:///PATH"),
        ("signoff.db", "cannot be read"),
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("mysql://root:hidden@x/y", "'mysql' is not supported: give sqlite:///PATH or postgresql"),
        ("postgresql://u:hidden@h:port/d", "cannot be read"),
    ],
)
def test_a_url_that_cannot_be_used_is_said_and_not_quoted(url: str, said: str) -> None:
    with pytest.raises(DatabaseError) as raised:
        parse_url(url)
    assert said in str(raised.value)
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg2://u@h/d"])
def test_postgresql_has_one_driver(url: str) -> None:
    assert parse_url(url).drivername == "postgresql+psycopg"


def test_a_transaction_is_whole_or_nothing(opened: Database) -> None:
    def fails(connection: Connection) -> None:
        add(connection)
        raise RuntimeError("after the first statement")

    with pytest.raises(RuntimeError):
        opened.write_now(fails)
    opened.write_now(add)
    assert opened.read_now(count) == 1


async def test_it_writes_and_reads_off_the_loop(opened: Database) -> None:
    threads = {await opened.write(lambda _: threading.get_ident()), await opened.read(lambda _: threading.get_ident())}
    assert threading.get_ident() not in threads


async def test_readers_do_not_wait_for_a_writer_and_see_only_what_is_committed(opened: Database) -> None:
    inside, leave = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        add(connection)
        inside.set()
        assert leave.wait(10)

    writing = asyncio.create_task(opened.write(slow))
    await asyncio.to_thread(inside.wait, 10)
    try:
        assert await asyncio.wait_for(opened.read(count), 5) == 0
    finally:
        leave.set()
    await writing
    assert await opened.read(count) == 1


async def test_what_was_cancelled_before_it_began_never_happens(opened: Database) -> None:
    hold, inside = threading.Event(), []

    def block(_: Connection) -> None:
        inside.append(1)
        assert hold.wait(10)

    blocking = [asyncio.create_task(opened.write(block)) for _ in range(4)]
    await wait_until(lambda: len(inside) == (1 if opened.is_sqlite else 4))
    late = asyncio.create_task(opened.write(add))
    await asyncio.sleep(0)
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    await asyncio.sleep(0.01)
    hold.set()
    await asyncio.gather(*blocking)
    assert await opened.read(count) == 0


def test_a_reader_of_a_sqlite_file_cannot_write_to_it(tmp_path: Path) -> None:
    path = tmp_path / "signoff.db"
    writer = Database(f"sqlite:///{path}")
    writer.write_now(lambda c: c.execute(text("CREATE TABLE t (n INTEGER)")))
    reader = Database(f"sqlite:///{path}", read_only=True)
    with pytest.raises(SQLAlchemyError, match="readonly"):
        reader.read_now(add)
    assert reader.read_now(count) == 0
    reader.close()
    writer.close()


def test_a_reader_never_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "none" / "signoff.db"
    with pytest.raises(NoDatabase, match="signoff serve"):
        Database(f"sqlite:///{path}", read_only=True)
    assert not path.parent.exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place, why in (("file/signoff.db", "exists|Not a directory"), ("", "Is a directory")):
        with pytest.raises(DatabaseError, match=why):
            Database(f"sqlite:///{tmp_path / place}")


def test_a_folder_that_is_not_there_is_not_made_silently(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"no folder .*none for signoff.db: create it"):
        Database(f"sqlite:///{tmp_path / 'none' / 'signoff.db'}")
    assert not (tmp_path / "none").exists()


def test_only_the_owner_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "signoff.db"
    path.touch(0o644)
    database = Database(f"sqlite:///{path}")
    database.write_now(lambda c: c.execute(text("CREATE TABLE t (n INTEGER)")))
    assert {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()} == {
        "signoff.db": "0o600",
        "signoff.db-wal": "0o600",
        "signoff.db-shm": "0o600",
    }
    database.close()


def test_no_error_s_text_carries_a_value(opened: Database) -> None:
    engines = [opened.engine, *filter(None, [opened.beside()])]
    for engine in engines:
        with engine.connect() as connection, pytest.raises(SQLAlchemyError) as raised:
            connection.execute(text("INSERT INTO nowhere VALUES (:v)"), {"v": "pa55word"})
        assert "nowhere" in str(raised.value)
        assert "pa55word" not in str(raised.value)
    with pytest.raises(SQLAlchemyError) as raised:
        opened.read_now(lambda c: c.execute(text("SELECT * FROM nowhere WHERE x = :v"), {"v": "pa55word"}))
    assert "pa55word" not in str(raised.value)


def test_sqlite_is_as_durable_as_it_can_be(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'signoff.db'}")

    def settings(connection: Connection) -> tuple[str, int, int]:
        read = lambda name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()  # noqa: E731
        return read("journal_mode"), read("synchronous"), read("busy_timeout")

    assert database.write_now(settings) == ("wal", 2, 15_000)
    database.close()


def test_a_file_that_is_no_database_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "signoff.db").write_text("not a database, but long enough to be looked at" * 50)
    database = Database(f"sqlite:///{tmp_path / 'signoff.db'}", read_only=True)
    with pytest.raises(SQLAlchemyError) as raised:
        database.read_now(count)
    assert said_by(raised.value) == "file is not a database"
    database.close()


def test_what_a_driver_says_has_neither_statement_nor_values(opened: Database) -> None:
    with pytest.raises(SQLAlchemyError) as raised:
        opened.write_now(lambda c: c.execute(text("INSERT INTO nowhere VALUES (:v)"), {"v": "hidden"}))
    said = said_by(raised.value)
    assert "nowhere" in said
    assert "hidden" not in said
    assert "\n" not in said
    assert said_by(ValueError()) == "ValueError"


def test_another_process_sees_what_was_committed_at_once(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'signoff.db'}")
    database.write_now(lambda c: c.execute(text("CREATE TABLE t (n INTEGER)")))
    database.write_now(add)
    with sqlite3.connect(tmp_path / "signoff.db") as other:
        assert other.execute("SELECT count(*) FROM t").fetchone() == (1,)
    database.close()
