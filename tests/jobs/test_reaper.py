"""Several processes on one PostgreSQL: what a process held that died for ever is taken up by the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.jobs.engine import Engine, Steps
from bot.jobs.reaper import GRACE_SECONDS, Reaper
from bot.store import work
from bot.store.database import Database
from bot.store.presence import Presence
from bot.store.schema import migrate
from tests.jobs.test_engine import add_group, is_done
from tests.ports import free_port
from tests.postgres import PostgreSQL
from tests.system.town import LEE, Town, checkout_alert, quick_runbooks, town
from tests.waiting import wait_until


@pytest.fixture
async def shared(postgres: PostgreSQL, tmp_path: Path) -> AsyncIterator[Town]:
    with postgres.fresh() as url:
        async with town(tmp_path, runbooks=quick_runbooks(tmp_path / "runbooks"), database=url) as here:
            yield here


async def test_a_process_that_is_killed_for_ever_leaves_nothing_behind(shared: Town) -> None:
    await shared.serve(killed_at="after:step.done")
    await shared.alert(checkout_alert())
    await shared.page.click(LEE, await shared.request(), "Approve")
    await shared.died()
    await shared.replica().serve()
    began = time.monotonic()
    await shared.sees("A-1 helped")
    assert time.monotonic() - began < GRACE_SECONDS + 30
    assert len(await shared.writes()) == 1
    await shared.until(shared.settled, "everything to be said")
    assert shared.audit_holds()


async def test_who_cannot_show_that_it_lives_leaves_its_jobs_and_takes_up_what_nobody_took(
    postgres: PostgreSQL,
) -> None:
    began: list[int] = []
    may_end = asyncio.Event()
    with postgres.fresh() as url:
        database, unreachable = Database(url), Database(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
        migrate(database)
        engine = Engine(database, executor_id="alone", orphan_seconds=0.1)

        async def story(steps: Steps, row_id: str, generation: int) -> None:
            began.append(generation)
            await may_end.wait()
            await steps("finish", database.write, lambda c: work.done(c, "group", row_id, generation))

        engine.tell("group", story, version=1)
        add_group(database)
        await engine.launch()
        presence = Presence(unreachable, "alone")
        reaping = asyncio.create_task(Reaper(database, engine, presence, grace_seconds=0.2).run())
        try:
            await wait_until(lambda: len(began) > 1, 20, "the job to be left, and begun again")
            assert not is_done(database), "a job that was left has not ended"
            reaping.cancel()
            may_end.set()
            await wait_until(lambda: is_done(database), 20)
        finally:
            reaping.cancel()
            await engine.close()
            presence.close()
            unreachable.close()
            database.close()


async def test_the_jobs_of_another_are_taken_up_after_the_grace_and_not_while_it_is_there(
    postgres: PostgreSQL,
) -> None:
    began: list[int] = []
    with postgres.fresh() as url:
        database = Database(url)
        migrate(database)

        async def story(steps: Steps, row_id: str, generation: int) -> None:
            began.append(generation)
            if len(began) == 1:
                await asyncio.Event().wait()
            await steps("finish", database.write, lambda c: work.done(c, "group", row_id, generation))

        first = Engine(database, executor_id="first")
        first.tell("group", story, version=1)
        its_presence = Presence(database, "first")
        assert its_presence.hold()
        add_group(database)
        await first.launch()
        await wait_until(lambda: len(began) == 1)
        await first.close()

        second = Engine(database, executor_id="second")
        second.tell("group", story, version=1)
        presence = Presence(database, "second")
        reaper = Reaper(database, second, presence, grace_seconds=0.5)
        await reaper.be_present()
        await second.launch()
        try:
            assert await second.executors() == {"first"}
            looked = time.monotonic()
            while time.monotonic() < looked + 1.0:
                await reaper.look()
            assert len(began) == 1, "its process is there"
            its_presence.close()
            gone = time.monotonic()
            while len(began) == 1:
                await reaper.look()
            assert time.monotonic() > gone + 0.5
            await wait_until(lambda: is_done(database), 20)
            assert began == [1, 1]
        finally:
            await second.close()
            presence.close()
            database.close()
