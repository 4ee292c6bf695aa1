"""kill -9 at every instant of a job, and a database that goes away under it: its work is done in the end, and no step
whose result was stored is repeated."""

import asyncio
import signal
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from bot.jobs.engine import Engine, Steps, Story
from bot.store import work
from bot.store.database import Database
from bot.store.schema import migrate
from bot.store.tables import groups
from tests.postgres import running
from tests.system import processes
from tests.waiting import wait_until

PROCESS = Path(__file__).with_name("engine_process.py")
ROOT = Path(__file__).parents[2]
ONCE = ["begin first", "end first", "begin second", "end second"]

INSTANTS = {
    "begin first": ["begin first"],
    "after first": [],
    "begin second": ["begin second"],
    "end second": ["begin second", "end second"],
    "before commit": [],
    "after finish": [],
}


def run(url: str, log: Path, killed_at: str) -> int:
    return processes.run([str(PROCESS), url, str(log), killed_at], {"PYTHONPATH": str(ROOT)}).status


def wants_work(database: Database) -> None:
    empty = {"group_labels": {}, "common_labels": {}, "common_annotations": {}}
    texts = dict.fromkeys(("source", "group_key", "receiver", "external_url"), "")

    def add(connection) -> None:
        connection.execute(insert(groups).values(id="g1", truncated=0, last_seen_at=0, **empty, **texts))
        work.want(connection, "group", "g1")

    database.write_now(add)


@pytest.mark.parametrize("instant", INSTANTS)
def test_work_survives_kill_9(database: Database, database_url: str, tmp_path: Path, instant: str) -> None:
    wants_work(database)
    log = tmp_path / "log"
    assert run(database_url, log, instant) == -signal.SIGKILL
    assert run(database_url, log, "") == 0
    done = database.read_now(lambda c: c.execute(select(groups.c.wanted, groups.c.done)).one())
    assert done.wanted == done.done == 1
    seen = Counter(log.read_text().split("\n"))
    repeated = [place for place in ONCE if seen[place] > 1]
    assert set(repeated) <= set(INSTANTS[instant]), "only the step that was being taken is taken again"
    assert all(seen[place] >= 1 for place in ONCE)


def test_it_survives_being_killed_again_and_again(database: Database, database_url: str, tmp_path: Path) -> None:
    wants_work(database)
    log = tmp_path / "log"
    for _ in range(3):
        assert run(database_url, log, "begin second") == -signal.SIGKILL
    assert run(database_url, log, "") == 0
    seen = Counter(log.read_text().split("\n"))
    assert (seen["begin first"], seen["begin second"]) == (1, 4)


def tells(database: Database, seen: Counter[str]) -> Story:
    async def story(steps: Steps, row_id: str, generation: int) -> None:
        async def step(name: str) -> str:
            seen[name] += 1
            return name

        for name in ("first", "second"):
            await steps(name, step, name)
        await steps("finish", database.write, lambda c: work.done(c, "group", row_id, generation))

    return story


def is_done(database: Database) -> bool:
    return bool(database.read_now(lambda c: c.execute(select(groups.c.wanted == groups.c.done)).scalar_one()))


async def test_a_job_that_dbos_wrongly_believes_to_run_here_is_taken_up(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    wants_work(database)
    assert run(database_url, tmp_path / "log", "begin second") == -signal.SIGKILL
    seen: Counter[str] = Counter()
    engine = Engine(database, executor_id="another", orphan_seconds=1)
    engine.tell("group", tells(database, seen), version=1)
    await engine.launch()
    try:
        await asyncio.sleep(2)
        assert seen == {}, "what another process may be running is left to it"
        table = "workflow_status" if database.is_sqlite else "dbos.workflow_status"
        database.write_now(lambda c: c.execute(text(f"UPDATE {table} SET executor_id = 'another'")))
        await wait_until(lambda: is_done(database), 30)
    finally:
        await engine.close()
    assert seen == {"second": 1}


async def test_a_database_that_goes_away_in_the_middle_of_jobs_loses_none() -> None:
    with running() as server, server.fresh() as url:
        database = Database(url)
        migrate(database)
        wants_work(database)
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def story(steps: Steps, row_id: str, generation: int) -> None:
            async def slow() -> int:
                begun.set()
                await go_on.wait()
                return 1

            await steps("slow", slow)
            await steps("finish", database.write, lambda c: work.done(c, "group", row_id, generation))

        engine = Engine(database, orphan_seconds=1)
        engine.tell("group", story, version=1)
        await engine.launch()
        try:
            await begun.wait()
            server.stop()
            go_on.set()
            await asyncio.sleep(1)
            server.start()
            await wait_until(lambda: is_done(database), 60)
        finally:
            await engine.close()
            database.close()


async def test_a_launch_that_failed_may_be_tried_again() -> None:
    with running() as server, server.fresh() as url:
        database = Database(url)
        migrate(database)
        wants_work(database)
        server.stop()
        seen: Counter[str] = Counter()
        engine = Engine(database)
        engine.tell("group", tells(database, seen), version=1)
        for _ in range(2):
            with pytest.raises(Exception, match="connection"):
                await engine.launch()
            assert not engine.launched
        server.start()
        await engine.launch()
        try:
            await wait_until(lambda: is_done(database), 30)
        finally:
            await engine.close()
            database.close()
    assert seen == {"first": 1, "second": 1}
