"""The job engine: durable stories started by rows. The only module that knows DBOS.

A job is named kind:row:generation, so it runs once per generation however often it is started. Starting it at once is
an optimisation: the sweep starts every row where ``done < wanted``. Jobs of one row run one after the other. Whatever
way a job ended, its row tells whether its work is done; if it is not, the work is accepted anew, for later.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol
from weakref import WeakValueDictionary

import structlog
from sqlalchemy import Connection

from bot.store import clock, unreadable, work
from bot.store.database import Database
from bot.store.unreadable import UnreadableRow
from bot.store.work import Due

log = structlog.get_logger(__name__)

# DBOS hashes the workflow sources by default, and any deploy would then strand the work of the version before.
APPLICATION_VERSION = "wf-1"
SWEEP_SECONDS = 1.0
DEFAULT_AT_ONCE = 8
STARTED_AT_MOST = 1000
ORPHAN_SECONDS = 5.0
_STARTING_AT_ONCE = 8
_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


class Steps(Protocol):
    """Runs a named step of a story: its result (plain JSON) is stored, and a restart does not repeat it."""

    async def __call__(self, name: str, work: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """Run ``work(*arguments)`` once, or return what it returned before the restart."""


Story = Callable[[Steps, str, int], Awaitable[None]]
# A job returns None, or how it failed: an empty list, or the table, id and reason of a row that cannot be read.
_Job = Callable[[str, int], Coroutine[Any, Any, list[str] | None]]


class Engine:
    """Runs stories for rows. ``executor_id`` names this process; on SQLite there is only ever one."""

    def __init__(
        self, database: Database, *, executor_id: str = "local", orphan_seconds: float = ORPHAN_SECONDS
    ) -> None:
        self._orphan_seconds = orphan_seconds
        self._database = database
        self._executor_id = executor_id
        self._workflows: dict[str, _Job] = {}
        self._stories: dict[str, tuple[str, Story]] = {}
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._starting = asyncio.Semaphore(_STARTING_AT_ONCE)
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._started: set[Due] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: dict[Due, asyncio.Task[Any] | None] = {}
        self._ended: dict[Due, list[str] | None] = {}
        self._sweeper: asyncio.Task[None] | None = None
        self._closing = False
        self.launched = False

    def tell(self, kind: str, story: Story, *, version: int, at_once: int = DEFAULT_AT_ONCE) -> None:
        """Register the story of a kind of row. Its released name is ``kind.vN``: a change of its step order is a new
        version beside the old. At most ``at_once`` jobs of the kind run at a time in this process."""
        self._stories[kind] = (f"{kind}.v{version}", story)
        self._slots[kind] = asyncio.Semaphore(at_once)

    async def launch(self) -> None:
        """Migrate the engine's tables, take up what a crash interrupted, and begin to sweep."""
        await asyncio.to_thread(self._configure)
        from dbos import DBOS

        try:
            # DBOS adopts the loop it is launched on: the stories run here, on the one loop.
            DBOS.launch()
        except Exception:
            await _destroy()
            raise
        self.launched = True
        self._sweeper = asyncio.create_task(self._sweep(), name="sweep")

    def _configure(self) -> None:
        from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

        for name in ("dbos", "dbos.transact"):
            logging.getLogger(name).setLevel(logging.WARNING)
        config: DBOSConfig = {
            "name": "signoff",
            "system_database_url": self._database.url.render_as_string(hide_password=False),
            "system_database_engine": self._database.beside(),
            "db_engine_kwargs": {"hide_parameters": True},
            "application_version": APPLICATION_VERSION,
            "executor_id": self._executor_id,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            "notification_listener_polling_interval_sec": 1.0,
            "scheduler_polling_interval_sec": 3600.0,
        }
        DBOS(config=config)
        # DBOS gives its logger a handler of its own, past our format and past the redactor.
        logger = logging.getLogger("dbos")
        logger.handlers.clear()
        logger.propagate = True
        for kind, (name, story) in self._stories.items():
            self._workflows[kind] = DBOS.workflow(name=name, max_recovery_attempts=None)(self._workflow(kind, story))

    def _workflow(self, kind: str, story: Story) -> _Job:
        async def job(row_id: str, generation: int) -> list[str] | None:
            # Both are taken here and not where jobs are started: what a crash interrupted does not come that way.
            turn = self._turns.setdefault((kind, row_id), asyncio.Lock())
            due = Due(kind, row_id, generation)
            self._running[due] = asyncio.current_task()
            try:
                async with turn, self._slots[kind]:
                    failure = await _tell(story, due)
                # DBOS may fail to record how it ended, and would then never say.
                self._ended[due] = failure
                return failure
            finally:
                self._running.pop(due, None)

        job.__qualname__ = job.__name__ = f"{kind}_job"
        return job

    def start_soon(self, kind: str, row_id: str, generation: int) -> None:
        """Start a row's job without waiting for anything. Never raises: the sweep starts what this could not."""
        due = Due(kind, row_id, generation)
        if due in self._started or self._closing or not self.launched or len(self._started) >= STARTED_AT_MOST:
            return
        self._started.add(due)
        # A fresh context: a job that one story starts is no child of it, and outlives it.
        task = asyncio.get_running_loop().create_task(self._run(due), name=_name(due), context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, due: Due) -> None:
        try:
            if due not in self._ended:
                await self._finish(due)
            await self._settle(due, self._ended[due])
            del self._ended[due]
        except Exception as error:
            if not self._closing:
                log.warning("job could not run; it is tried again", kind=due.kind, row=due.row_id, exc_info=error)
        finally:
            self._started.discard(due)

    async def _finish(self, due: Due) -> None:
        """Run a job, or join the run that was started already, until it is known how it ended."""
        from dbos import DBOS, SetWorkflowID

        async with self._starting:
            with SetWorkflowID(_name(due)):
                handle = await DBOS.start_workflow_async(self._workflows[due.kind], due.row_id, due.generation)
        waiting = asyncio.ensure_future(handle.get_result())
        suspected = False
        try:
            while not (await asyncio.wait({waiting}, timeout=self._orphan_seconds))[0]:
                if due in self._ended:
                    return
                # One look is not enough: DBOS calls a job pending a moment before it begins here, and one that is
                # taken up again just then would run twice.
                orphan = due not in self._running and await self._is_orphan(due)
                if orphan and suspected:
                    log.warning("job taken up again", kind=due.kind, row=due.row_id, generation=due.generation)
                    await DBOS.resume_workflow_async(_name(due))
                suspected = orphan and not suspected
            self._ended.setdefault(due, waiting.result())
        except Exception as error:
            if due not in self._ended and (due in self._running or (await handle.get_status()).status not in _ENDED):
                raise
            log.warning("job broke", kind=due.kind, row=due.row_id, generation=due.generation, exc_info=error)
            self._ended.setdefault(due, _failure(error))
        finally:
            waiting.cancel()

    async def _is_orphan(self, due: Due) -> bool:
        """Whether DBOS believes a job to be running here that is not: a database that went away at the wrong moment
        leaves such jobs."""
        from dbos import DBOS

        status = await DBOS.get_workflow_status_async(_name(due))
        pending_here = bool(status and status.status == "PENDING" and status.executor_id == self._executor_id)
        return pending_here and due not in self._running

    async def _settle(self, due: Due, failure: list[str] | None) -> None:
        """Accept a job's work anew if the job has ended and its row says that it is not done."""

        def write(connection: Connection) -> None:
            now = clock.advance(connection)
            if work.is_done(connection, due):
                return
            problem = UnreadableRow(*failure) if failure else None
            # Only a row that cannot be read itself is set aside; what failed over another row is tried again.
            if problem and (problem.table, problem.row_id) == (work.KINDS[due.kind].name, due.row_id):
                work.set_aside(connection, problem, kind=due.kind, row_id=due.row_id, now=now)
                return
            if problem:
                unreadable.report(connection, problem, now=now)
            work.failed(connection, due.kind, due.row_id, due.generation, now=now)

        if not await self._database.read(lambda connection: work.is_done(connection, due)):
            await self._database.write(write)

    async def _sweep(self) -> None:
        while True:
            try:
                found = await self._database.read(lambda connection: work.due(connection, now=clock.now(connection)))
                for due in found:
                    if due.kind in self._stories:
                        self.start_soon(due.kind, due.row_id, due.generation)
            except Exception as error:
                log.warning("the sweep could not read the database", error=type(error).__name__)
            await asyncio.sleep(SWEEP_SECONDS)

    async def forget(self, *, older_than_seconds: float = 86_400.0, at_once: int = 500) -> int:
        """Delete the records of jobs that ended longer ago, ``at_once`` in a statement, and return how many; the rows
        they were for keep what happened."""
        from datetime import UTC, datetime, timedelta

        from dbos import DBOS

        before = (datetime.now(UTC) - timedelta(seconds=older_than_seconds)).isoformat()
        forgotten = 0
        while True:
            ended = await DBOS.list_workflows_async(
                status=["SUCCESS", "ERROR", "CANCELLED"],
                completed_before=before,
                limit=at_once,
                load_input=False,
                load_output=False,
            )
            if ended:
                await DBOS.delete_workflows_async([workflow.workflow_id for workflow in ended])
            forgotten += len(ended)
            if len(ended) < at_once:
                return forgotten

    async def executors(self) -> set[str]:
        """Return the names of the processes that run jobs, or ran them when they died; empty before the launch."""
        from dbos import DBOS

        if not self.launched:
            return set()
        pending = await DBOS.list_workflows_async(status=["PENDING"], load_input=False, load_output=False)
        return {workflow.executor_id for workflow in pending if workflow.executor_id}

    async def take_up(self, executor: str) -> int:
        """Give the jobs of a dead process back, for any process to run, and return how many."""
        from dbos import DBOS

        return len(await asyncio.to_thread(DBOS._recover_pending_workflows, [executor]))

    def stand_aside(self) -> None:
        """Leave every job that runs here: others may have taken it up. What nobody did is taken up here again."""
        for task in list(self._running.values()):
            if task is not None:
                task.cancel()

    async def close(self) -> None:
        """Stop starting jobs. What runs stays pending in the database and is taken up at the next start."""
        self._closing = True
        if self._sweeper:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        left = [*self._tasks, *(task for task in self._running.values() if task)]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await _destroy()


async def _destroy() -> None:
    from dbos import DBOS

    await asyncio.to_thread(lambda: DBOS.destroy(destroy_registry=True))
    # DBOS made its own threads the loop's, and has just ended them: whoever closes after it needs some.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))


async def _steps(name: str, work: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    from dbos import DBOS

    async def step() -> Any:
        # DBOS logs the callable of a step that did not end; one that holds its arguments would have them all told.
        return await work(*arguments)

    return await DBOS.run_step_async({"name": name}, step)


async def _tell(story: Story, due: Due) -> list[str] | None:
    try:
        await story(_steps, due.row_id, due.generation)
    except Exception as error:
        if _is_engines(error):
            raise
        log.warning("job failed", kind=due.kind, row=due.row_id, generation=due.generation, exc_info=error)
        return _failure(error)
    return None


def _name(due: Due) -> str:
    return f"{due.kind}:{due.row_id}:{due.generation}"


def _is_engines(error: Exception) -> bool:
    """Tell the engine's own control flow (fencing, cancellation) from a failure of the story."""
    from dbos import error as engine_errors

    return isinstance(error, engine_errors.DBOSException)


def _failure(error: Exception) -> list[str]:
    return [error.table, error.row_id, error.reason] if isinstance(error, UnreadableRow) else []
