"""Presence: a process that lives holds a lock named after it, which PostgreSQL frees when the process dies.

It is a session's advisory lock on a connection of its own, so neither a crash nor a lost node leaves it behind.
"""

from __future__ import annotations

import contextlib

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from bot.store.database import Database

_TAKE = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
# Shared, so that several who look at the same moment do not take each other for the one they look for.
_LOOK = text("SELECT pg_try_advisory_lock_shared(hashtextextended(:name, 0))")
_LEAVE = text("SELECT pg_advisory_unlock_shared(hashtextextended(:name, 0))")


class Presence:
    """The presence of one process, and whether others are there. Only for PostgreSQL; its calls block."""

    def __init__(self, database: Database, name: str) -> None:
        self.name = name
        self._engine = database.apart()
        self._connection: Connection | None = None

    def hold(self) -> bool:
        """Be present: take the lock, or find out that it is still held. Call it again and again: a connection that
        broke is made anew. Returns whether it is held; raises what the driver raises if the database is away."""
        if self._connection is not None:
            try:
                self._connection.execute(text("SELECT 1"))
            except SQLAlchemyError:
                self._let_go()
            else:
                return True
        connection = self._engine.connect()
        if not connection.execute(_TAKE, {"name": _named(self.name)}).scalar_one():
            connection.close()  # our own connection that broke is not yet known to be gone
            return False
        self._connection = connection
        return True

    def is_gone(self, name: str) -> bool:
        """Say whether the process of this name is not there now. Call it only while this one is present."""
        if self._connection is None or name == self.name:
            return False
        named = {"name": _named(name)}
        if not self._connection.execute(_LOOK, named).scalar_one():
            return False
        self._connection.execute(_LEAVE, named)
        return True

    def close(self) -> None:
        """Be gone."""
        self._let_go()
        self._engine.dispose()

    def _let_go(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                self._connection.close()
            self._connection = None


def _named(name: str) -> str:
    return f"signoff:{name}"
