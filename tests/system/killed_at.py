"""Run `signoff` and kill -9 it at one write of its database: `killed_at.py before:N serve` or `after:N serve`.

Counts the transactions that write, of every connection of the process, the engine's included, from the moment the file
named by SIGNOFF_TEST_ARMED exists; the writes of all processes that have the same file are counted together. `before`
dies with the commit still to come, `after` with the commit just made. A word in place of the number names an audit
event: `after:run.started` dies at the transaction that first records it. What the file says, if it says anything,
replaces the first argument. SIGNOFF_TEST_UNCOUNTED is how statements begin that make no transaction count.
"""

import fcntl
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

given = sys.argv.pop(1)
armed = Path(os.environ["SIGNOFF_TEST_ARMED"]) if "SIGNOFF_TEST_ARMED" in os.environ else None
writes = 0
die_next = False
WROTE, RECORDS = "signoff_test_wrote", "signoff_test_records"
# The clock ticks, whatever happens.
UNCOUNTED = ("INSERT INTO counters", "UPDATE counters", *os.environ.get("SIGNOFF_TEST_UNCOUNTED", "").splitlines())


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def order() -> str:
    """Where to die, if it is to be at all."""
    if armed is None:
        return given
    try:
        return armed.read_text() or given
    except FileNotFoundError:
        return ""


def number() -> int:
    """The number of this write."""
    global writes
    writes += 1
    if armed is None:
        return writes
    with Path(f"{armed}.writes").open("ab") as shared:
        fcntl.flock(shared, fcntl.LOCK_EX)
        shared.write(b".")
        shared.flush()
        return shared.tell()


@event.listens_for(Engine, "begin")
def begin(connection: Connection) -> None:
    connection.info.pop(WROTE, None)
    connection.info.pop(RECORDS, None)


@event.listens_for(Engine, "after_cursor_execute")
def look(connection: Connection, cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
    if not statement.startswith(("INSERT", "UPDATE", "DELETE")) or statement.startswith(UNCOUNTED):
        return
    # SQLite counts the rows of a statement that returns some only when they are fetched.
    if cursor.rowcount == 0 and "RETURNING" not in statement:
        return
    connection.info[WROTE] = True
    values = parameters.values() if isinstance(parameters, Mapping) else parameters
    if statement.startswith("INSERT INTO audit "):
        connection.info.setdefault(RECORDS, set()).update(values)


@event.listens_for(Engine, "commit")
def count(connection: Connection) -> None:
    global die_next
    when, _, place = order().partition(":")
    if not place or not connection.info.pop(WROTE, False):
        return
    if str(number()) == place or place in connection.info.pop(RECORDS, ()):
        if when == "before":
            die()
        die_next = True


@event.listens_for(Pool, "checkin")
def committed(_dbapi: object, _record: object) -> None:
    if die_next:
        die()


from bot.cli import main  # noqa: E402 - the listeners must be there first

main()
