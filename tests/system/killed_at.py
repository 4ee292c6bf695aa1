"""Run `signoff` and kill -9 it at one write of its database: `killed_at.py before:N serve` or `after:N serve`.

Counts the transactions that write, of every connection of the process, the engine's included, from the moment the file
named by SIGNOFF_TEST_ARMED exists; where several processes have the same file, the first to come to N dies. `before`
dies with the commit still to come, `after` with the commit just made. A word in place of the number names an audit
event: `after:run.started` dies at the transaction that first records it.
"""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

when, _, place = sys.argv.pop(1).partition(":")
armed = Path(os.environ["SIGNOFF_TEST_ARMED"]) if "SIGNOFF_TEST_ARMED" in os.environ else None
writes = 0
die_next = False
WROTE, RECORDS = "signoff_test_wrote", "signoff_test_records"
# The clock ticks and the process looks around, whatever happens.
IDLE = ("INSERT INTO counters", "UPDATE counters")


def die() -> None:
    if armed is not None:
        try:
            os.close(os.open(f"{armed}.died", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
    os.kill(os.getpid(), signal.SIGKILL)


@event.listens_for(Engine, "begin")
def begin(connection: Connection) -> None:
    connection.info.pop(WROTE, None)
    connection.info.pop(RECORDS, None)


@event.listens_for(Engine, "after_cursor_execute")
def look(connection: Connection, cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
    if not statement.startswith(("INSERT", "UPDATE", "DELETE")) or statement.startswith(IDLE) or cursor.rowcount == 0:
        return
    connection.info[WROTE] = True
    values = parameters.values() if isinstance(parameters, Mapping) else parameters
    if statement.startswith("INSERT INTO audit ") and place in values:
        connection.info[RECORDS] = True


@event.listens_for(Engine, "commit")
def count(connection: Connection) -> None:
    global writes, die_next
    if armed is not None and not armed.exists():
        return
    if not connection.info.pop(WROTE, False):
        return
    writes += 1
    if armed is not None:
        Path(f"{armed}.{os.getpid()}.count").write_text(str(writes))
    if str(writes) == place or connection.info.pop(RECORDS, False):
        if when == "before":
            die()
        die_next = True


@event.listens_for(Pool, "checkin")
def committed(_dbapi: object, _record: object) -> None:
    if die_next:
        die()


from bot.cli import main  # noqa: E402 - the listeners must be there first

main()
