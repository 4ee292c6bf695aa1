"""Run `signoff` and kill -9 it at one write of its database: `killed_at.py before:N serve` or `after:N serve`.

Counts the commits of every connection of the process, the engine's included, from the moment the file named by
SIGNOFF_TEST_ARMED exists. `before` dies with the commit still to come, `after` with the commit just made. A word in
place of the number names an audit event: `after:run.started` dies at the transaction that first records it.
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
commits = 0
die_next = False
RECORDS = "signoff_test_records"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@event.listens_for(Engine, "begin")
def begin(connection: Connection) -> None:
    connection.info.pop(RECORDS, None)


@event.listens_for(Engine, "before_cursor_execute")
def look(connection: Connection, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
    if statement.startswith("INSERT INTO audit "):
        values = parameters.values() if isinstance(parameters, Mapping) else parameters
        if place in values:
            connection.info[RECORDS] = True


@event.listens_for(Engine, "commit")
def count(connection: Connection) -> None:
    global commits, die_next
    if armed is not None:
        if not armed.exists():
            return
        commits += 1
        Path(f"{armed}.count").write_text(str(commits))
    if str(commits) == place or connection.info.pop(RECORDS, False):
        if when == "before":
            die()
        die_next = True


@event.listens_for(Pool, "checkin")
def committed(_dbapi: object, _record: object) -> None:
    if die_next:
        die()


from bot.cli import main  # noqa: E402 - the listeners must be there first

main()
