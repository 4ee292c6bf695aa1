"""What we rely on of DBOS, so that a new release that breaks it is seen here and not in production."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import pytest
from dbos import DBOS, DBOSPortableJSONSerializer, SetWorkflowID
from sqlalchemy import create_engine, inspect, text

from bot.jobs import engine as ours
from bot.store.database import Database
from tests.waiting import wait_until


@asynccontextmanager
async def launched(
    database: Database, *, application_version: str = "wf-1", **workflows: Callable[..., Any]
) -> AsyncIterator[dict]:
    """DBOS itself, configured as the engine configures it."""
    DBOS(
        config={
            "name": "signoff",
            "system_database_url": database.url.render_as_string(hide_password=False),
            "application_version": application_version,
            "executor_id": "local",
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "ERROR",
        }
    )
    registered = {
        name: DBOS.workflow(name=name, max_recovery_attempts=None)(workflow) for name, workflow in workflows.items()
    }
    before = asyncio.all_tasks()
    DBOS.launch()
    try:
        yield registered
    finally:
        # As when a process ends: what still runs is cut off.
        left = asyncio.all_tasks() - before
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await ours._destroy()


async def start(workflow: Callable[..., Any], workflow_id: str, *arguments: Any) -> Any:
    with SetWorkflowID(workflow_id):
        return await DBOS.start_workflow_async(workflow, *arguments)


def rows(database: Database, columns: str, table: str = "workflow_status") -> list[Any]:
    table = table if database.is_sqlite else f"dbos.{table}"
    return database.read_now(lambda c: c.execute(text(f"SELECT {columns} FROM {table}")).all())


def test_it_is_the_release_that_was_tried() -> None:
    assert version("dbos").startswith("3.4.")


async def test_an_id_runs_once_and_every_caller_gets_its_result(database: Database) -> None:
    ran: list[int] = []

    async def workflow(number: int) -> int:
        ran.append(number)
        await asyncio.sleep(0.05)
        return number

    async with launched(database, w=workflow) as w:
        handles = await asyncio.gather(*(start(w["w"], "id-1", 7) for _ in range(5)))
        assert await asyncio.gather(*(handle.get_result() for handle in handles)) == [7] * 5
        again = await start(w["w"], "id-1", 7)
        assert await again.get_result() == 7
    assert ran == [7]


async def test_a_failed_id_is_not_run_again(database: Database) -> None:
    ran: list[int] = []

    async def workflow() -> None:
        ran.append(1)
        raise ValueError("no")

    async with launched(database, w=workflow) as w:
        for _ in range(2):
            handle = await start(w["w"], "id-1")
            with pytest.raises(Exception, match="no"):
                await handle.get_result()
            assert (await handle.get_status()).status == "ERROR"
    assert ran == [1], "so work that failed needs another id"


async def test_what_is_interrupted_stays_pending_and_is_taken_up_at_the_next_launch(database: Database) -> None:
    seen: Counter[str] = Counter()
    block = asyncio.Event()

    async def step(name: str) -> str:
        seen[name] += 1
        if name == "second":
            await block.wait()
        return name

    async def workflow() -> list[str]:
        return [await DBOS.run_step_async({"name": name}, step, name) for name in ("first", "second")]

    async with launched(database, w=workflow) as w:
        handle = await start(w["w"], "id-1")
        waiting = asyncio.create_task(handle.get_result())
        await wait_until(lambda: seen["second"])
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert [row.status for row in rows(database, "status")] == ["PENDING"]
    block.set()
    async with launched(database, w=workflow):
        found = await DBOS.retrieve_workflow_async("id-1")
        assert await found.get_result() == ["first", "second"]
    assert seen == {"first": 1, "second": 2}


async def test_work_of_another_application_version_is_left_alone(database: Database) -> None:
    """So the version must be pinned: else every deploy strands what the one before it left."""
    seen: Counter[str] = Counter()
    block = asyncio.Event()

    async def workflow() -> None:
        seen["began"] += 1
        await block.wait()

    async with launched(database, w=workflow) as w:
        handle = await start(w["w"], "id-1")
        await wait_until(lambda: seen["began"])
        del handle
    async with launched(database, application_version="wf-2", w=workflow):
        await asyncio.sleep(0.5)
    assert seen == {"began": 1}
    assert ours.APPLICATION_VERSION == "wf-1"


async def test_it_recovers_any_number_of_times(database: Database) -> None:
    seen: Counter[str] = Counter()
    block = asyncio.Event()

    async def workflow() -> str:
        seen["began"] += 1
        await block.wait()
        return "done"

    async with launched(database, w=workflow) as w:
        await start(w["w"], "id-1")
        await wait_until(lambda: seen["began"])
    for times in range(2, 5):
        async with launched(database, w=workflow):
            await wait_until(lambda t=times: seen["began"] == t)
    block.set()
    async with launched(database, w=workflow):
        found = await DBOS.retrieve_workflow_async("id-1")
        assert await found.get_result() == "done"


async def test_what_it_stores_is_json_and_no_pickle(database: Database) -> None:
    async def workflow(row_id: str, generation: int) -> list[str]:
        return [row_id, str(generation)]

    async with launched(database, w=workflow) as w:
        handle = await start(w["w"], "id-1", "g1", 3)
        await handle.get_result()
    (status,) = rows(database, "serialization")
    (given,) = rows(database, "inputs", "workflow_input")
    (result,) = rows(database, "output", "workflow_output")
    assert status.serialization == "portable_json"
    assert json.loads(given.inputs)["positionalArgs"] == ["g1", 3]
    assert json.loads(result.output) == ["g1", "3"]


async def test_workflows_run_on_the_loop_that_launched(database: Database) -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    async def workflow() -> None:
        loops.append(asyncio.get_running_loop())

    async with launched(database, w=workflow) as w:
        await (await start(w["w"], "id-1")).get_result()
    assert loops == [asyncio.get_running_loop()]


async def test_its_tables_do_not_meet_ours(database: Database) -> None:
    before = set(database.read_now(lambda c: inspect(c).get_table_names()))
    async with launched(database):
        pass
    found = set(database.read_now(lambda c: inspect(c).get_table_names()))
    assert before <= found
    engine = create_engine(database.url)
    if not database.is_sqlite:
        assert found == before
        assert "workflow_status" in inspect(engine).get_table_names(schema="dbos")
    engine.dispose()
