"""Run `signoff` and kill -9 it at one write of its database: `killed_at.py before:N serve` or `after:N serve`.

Counts the commits of every connection of the process, the engine's included, from the moment the file named by
SIGNOFF_TEST_ARMED exists. `before` dies with the commit still to come, `after` with the commit just made.
"""

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

when, _, number = sys.argv.pop(1).partition(":")
armed = Path(os.environ["SIGNOFF_TEST_ARMED"])
tally = Path(f"{armed}.count")
commits = 0
die_next = False


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@event.listens_for(Engine, "commit")
def count(_connection: object) -> None:
    global commits, die_next
    if not armed.exists():
        return
    commits += 1
    tally.write_text(str(commits))
    if commits == int(number):
        if when == "before":
            die()
        die_next = True


@event.listens_for(Pool, "checkin")
def committed(_dbapi: object, _record: object) -> None:
    if die_next:
        die()


from bot.cli import main  # noqa: E402 - the listeners must be there first

main()
