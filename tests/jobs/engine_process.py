"""A process with an engine, for tests that kill it: ``python engine_process.py URL LOG KILLED_AT``.

Its one story takes three steps and writes into LOG how far it is. The process kills itself with SIGKILL where KILLED_AT
says, and else ends when the row's work is done.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.jobs.engine import Engine, Steps
from bot.store import work
from bot.store.database import Database
from bot.store.tables import groups
from tests.waiting import wait_until


async def main(url: str, log: Path, killed_at: str) -> None:
    database = Database(url)

    def reach(place: str) -> None:
        with log.open("a") as file:
            file.write(f"{place}\n")
            file.flush()
            os.fsync(file.fileno())
        if place == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    async def story(steps: Steps, row_id: str, generation: int) -> None:
        async def step(name: str) -> str:
            reach(f"begin {name}")
            await asyncio.sleep(0)
            reach(f"end {name}")
            return name

        def finish(connection: Any) -> None:
            work.done(connection, "group", row_id, generation)
            reach("before commit")

        for name in ("first", "second"):
            await steps(name, step, name)
            reach(f"after {name}")
        await steps("finish", database.write, finish)
        reach("after finish")

    engine = Engine(database)
    engine.tell("group", story, version=1)
    await engine.launch()
    done = select(groups.c.done == groups.c.wanted)

    def over() -> bool:
        # The row is done a moment before the story has ended.
        return (
            log.exists()
            and "after finish" in log.read_text()
            and database.read_now(lambda c: c.execute(done).scalar_one())
        )

    await wait_until(over, 50)
    await engine.close()
    database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
