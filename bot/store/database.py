"""The database: one place that opens SQLite or PostgreSQL and runs short transactions off the event loop.

On SQLite: WAL, synchronous=FULL, one writer at a time in this process (``BEGIN IMMEDIATE``), readers beside it. What
somebody waits for is written before what the jobs write.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url, text

from bot.domain.keys import Keys
from bot.store import clock, signed
from bot.store.one_writer import take_turns
from bot.store.steady import Steady
from bot.store.turns import Turns

T = TypeVar("T")

BUSY_TIMEOUT_MS = 15_000
# SQLite keeps whatever bytes it is given as text: one such cell must not hide the rows around it.
_READABLE = partial(str, encoding="utf-8", errors="replace")
# A server that vanished without a word must not hold a thread for the two hours of TCP's own keepalive.
_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


class DatabaseError(Exception):
    """The database cannot be used; the message says why and what to do."""


class NoDatabase(DatabaseError):
    """There is no such file yet."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no database at {path} yet: `signoff serve` makes it when it first starts")
        self.path = path


class Database:
    """Opens ``sqlite:///path`` or ``postgresql://…``. ``read_only`` opens a SQLite file beside a live ``serve``.

    ``keys`` sign what is written and check what is read of the tables that are signed. ``monotonic`` returns seconds:
    time goes on by it where the database's clock is behind.
    """

    def __init__(
        self,
        url: str,
        *,
        read_only: bool = False,
        keys: Keys | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        parsed = parse_url(url)
        self.url = parsed
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._turn = threading.Lock()
        self._beside: Engine | None = None
        if self.is_sqlite:
            _refuse_broken_sqlite()
            _refuse_bad_path(Path(str(parsed.database)), read_only=read_only)
            self._readers = _sqlite_engine(parsed, read_only=True)
            self._writer = self._readers if read_only else _sqlite_engine(parsed, read_only=False)
            if not read_only:
                take_turns(self._writer, self._turn, seconds=BUSY_TIMEOUT_MS / 1000)
        else:
            self._readers = self._writer = create_engine(
                parsed,
                pool_size=6,
                max_overflow=4,
                pool_pre_ping=True,
                connect_args=_PATIENCE,
                # Else an insert that met a conflict cannot be told from one that did not.
                execution_options={"preserve_rowcount": True},
                hide_parameters=True,
            )
        options = {signed.OPTION: keys, clock.OPTION: Steady(monotonic)}
        self._readers = self._readers.execution_options(**options)
        self._writer = self._writer.execution_options(**options)
        self._writing = Turns(1 if self.is_sqlite else 4, "store-write")
        self._read_pool = ThreadPoolExecutor(3, thread_name_prefix="store-read")

    @property
    def engine(self) -> Engine:
        """The engine that writes, for migrations."""
        return self._writer

    def beside(self) -> Engine | None:
        """Return an engine for a library that keeps tables of its own in the same SQLite file: its connections and ours
        write in turns. None on PostgreSQL, where nobody needs to. Closed with this database."""
        if self.is_sqlite and self._beside is None:
            self._beside = create_engine(self.url, pool_size=10, max_overflow=10, hide_parameters=True)
            event.listen(self._beside, "connect", _configure_beside)
            take_turns(self._beside, self._turn, seconds=BUSY_TIMEOUT_MS / 1000)
        return self._beside

    def apart(self) -> Engine:
        """Return an engine for connections that are kept open and in no pool. The caller disposes of it."""
        return create_engine(
            self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=_PATIENCE, hide_parameters=True
        )

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in one transaction on this thread: all of it is durable on return, or nothing happened."""
        with self._writer.begin() as connection:
            return work(connection)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on a reading connection on this thread."""
        with self._readers.connect() as connection:
            return work(connection)

    async def write(self, work: Callable[[Connection], T], *, urgent: bool = False) -> T:
        """Run ``work`` in one transaction off the loop: all of it is durable on return, or nothing happened.

        ``urgent`` is for what somebody waits to have answered: it passes what waits to be written.
        """
        return await self._writing.take(partial(self.write_now, work), urgent=urgent)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on a reading connection, off the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._read_pool, self.read_now, work)

    def close(self) -> None:
        """Let running transactions end and close the connections."""
        self._writing.close()
        self._read_pool.shutdown()
        self._readers.dispose()
        self._writer.dispose()
        if self._beside is not None:
            self._beside.dispose()


def parse_url(url: str) -> URL:
    """Check a database URL and choose its driver. Raises ``DatabaseError`` naming what is accepted."""
    try:
        parsed = make_url(url)
    except Exception as error:
        raise DatabaseError("the database URL cannot be read: give sqlite:///PATH or postgresql://…") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise DatabaseError("the database must be a file: give sqlite:///PATH (an in-memory one would lose alerts)")
        return parsed.set(drivername="sqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    raise DatabaseError(f"the database {backend!r} is not supported: give sqlite:///PATH or postgresql://…")


def said_by(error: Exception) -> str:
    """Return what a database's driver says went wrong, in one line, without the statement and its values."""
    driver = getattr(error, "orig", None) or error
    return next((line.strip() for line in str(driver).splitlines() if line.strip()), type(driver).__name__)[:300]


def _refuse_broken_sqlite() -> None:
    # unixepoch('subsec'), which the engine uses on Python 3.12+, is NULL before SQLite 3.42.
    if sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < (3, 42):
        raise DatabaseError(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} with SQLite {sqlite3.sqlite_version} cannot run "
            "the job engine: use Python 3.11, or a system with SQLite 3.42 or later, or PostgreSQL"
        )


def _refuse_bad_path(path: Path, *, read_only: bool) -> None:
    if read_only:
        # SQLite would make the file that it is asked to read.
        if not path.is_file():
            raise NoDatabase(path)
        return
    if not path.parent.exists():
        raise DatabaseError(f"there is no folder {path.parent} for {path.name}: create it, or give another place")
    try:
        # Alerts are stored as they came: nobody but the owner may read them. SQLite gives its -wal file the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with contextlib.suppress(PermissionError):  # a file of somebody else's that we may write is theirs to close
            path.chmod(0o600)
    except OSError as error:
        raise DatabaseError(f"{path} cannot be written: {error.strerror}") from error


def _configure_beside(connection: Any, _record: Any) -> None:
    # As DBOS opens SQLite itself: a transaction that will write takes the lock when it begins to.
    connection.isolation_level = "IMMEDIATE"
    connection.text_factory = _READABLE
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _sqlite_engine(url: URL, *, read_only: bool) -> Engine:
    size, more = (3, 2) if read_only else (1, 0)
    engine = create_engine(url, pool_size=size, max_overflow=more, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.text_factory = _READABLE
        connection.isolation_level = None  # SQLAlchemy's begin event, below, decides how a transaction starts
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        if read_only:
            connection.execute("PRAGMA query_only=ON")
        else:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.execute(text("BEGIN" if read_only else "BEGIN IMMEDIATE"))

    return engine
