"""One writer at a time: the writing connections of a process take turns at a lock instead of inside SQLite.

SQLite lets one connection write, and lets others sleep for up to 100 ms between two looks (``sqlite3.c``,
``sqliteDefaultBusyCallback``). A lock wakes the next one at once. It is a courtesy, not the guard: SQLite still is.
"""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import Connection, Engine, event

_HELD = "signoff_turn"
_READS = ("SELECT", "PRAGMA")


def take_turns(engine: Engine, turn: threading.Lock, *, seconds: float) -> None:
    """Let every connection of ``engine`` hold ``turn`` from its first writing statement until it is given back.

    Who waits longer than ``seconds`` goes on without, and finds out from SQLite.
    """

    @event.listens_for(engine, "before_cursor_execute")
    def take(connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if _HELD in connection.info or statement.lstrip()[:6].upper() in _READS:
            return
        connection.info[_HELD] = turn.acquire(timeout=seconds)

    @event.listens_for(engine, "checkin")
    def give(_connection: Any, record: Any) -> None:
        if record.info.pop(_HELD, False):
            turn.release()
