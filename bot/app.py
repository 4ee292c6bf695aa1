"""The life of ``serve``: from the parts to the signal that ends it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import os
import signal
import socket
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from sqlalchemy.exc import SQLAlchemyError

from bot import log as logging
from bot.assembly import CannotStart, load_catalogue, load_prompts, open_database, redactor_of, world_of
from bot.intake import http, slack
from bot.intake.alertmanager import Bounds
from bot.intake.github import GitHubIntake
from bot.intake.inbox import StoredInbox
from bot.intake.socket_mode import SocketMode
from bot.jobs import (
    anchoring,
    asking,
    change,
    changing,
    ci_run,
    housekeeping,
    incident,
    investigation,
    logs,
    pull_command,
    pull_request,
    run,
    vote,
)
from bot.jobs.reaper import Reaper
from bot.jobs.world import World
from bot.settings import Configuration
from bot.status import Gauges, Status
from bot.store import audit, clock, schema
from bot.store.database import Database, said_by
from bot.store.presence import Presence

log = structlog.get_logger(__name__)

RETRY_SECONDS = 2.0
RUNS_AT_ONCE = 64


async def serve(configuration: Configuration) -> int:
    """Run until SIGTERM or SIGINT. Start-up waits for no connection: what is down is said in /readyz and tried again.

    Raises ``CannotStart`` for a broken runbook, prompt or database setting.
    """
    settings = configuration.settings
    redactor = redactor_of(settings)
    logging.configure(redactor, level=settings.log_level)
    books, texts = load_catalogue(configuration), load_prompts(settings)
    database = open_database(settings)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with contextlib.AsyncExitStack() as life:
        life.callback(database.close)
        if database.is_sqlite:
            life.enter_context(sole_server(Path(str(database.url.database))))
            await prepare(database)
        # Never the same again: what a process of this name left is for the reaper, and not for one like it.
        name = "local" if database.is_sqlite else f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        world, client = await world_of(configuration, redactor, books, texts, database, life, name=name)
        tell_stories(world)
        reaper = None
        if not database.is_sqlite:
            presence = Presence(database, name)
            life.callback(presence.close)
            reaper = Reaper(database, world.engine, presence)
        status = Status(world, slack_connected=lambda: connection.connected)
        bolt = slack.build(client, inbox=StoredInbox(world))
        connection = SocketMode(bolt, settings.slack_app_token.get_secret_value())
        await life.enter_async_context(listening(configuration, world, status))
        background = [
            loop.create_task(job, name=name)
            for name, job in {
                "engine": engage(world, reaper),
                "outbox": world.outbox.run(),
                "slack": connection.run(),
                "housekeeping": housekeeping.keep_house(world),
                "anchoring": anchoring.keep_anchors(world),
            }.items()
        ]
        life.push_async_callback(end, background, world)
        log.info("serving", listen="{}:{}".format(*settings.listen), clusters=sorted(world.clusters))
        await stopped.wait()
        log.info("stopping")
    return 0


async def prepare(database: Database) -> None:
    """Bring a SQLite file's schema up to date. Raises ``CannotStart`` if the file is no database of ours."""
    try:
        await asyncio.to_thread(schema.migrate, database)
    except SQLAlchemyError as error:
        path = database.url.database
        raise CannotStart(f"SIGNOFF_DATABASE_URL: {path} cannot be used: {said_by(error)}") from error


def tell_stories(world: World) -> None:
    """Register the story of every kind of row."""
    engine = world.engine
    engine.tell(incident.KIND, incident.story(world), version=incident.VERSION)
    engine.tell(investigation.KIND, investigation.story(world), version=investigation.VERSION, at_once=4)
    engine.tell(asking.KIND, asking.story(world), version=asking.VERSION, at_once=4)
    engine.tell(vote.KIND, vote.story(world), version=vote.VERSION)
    # Each may hold some dozens of megabytes.
    engine.tell(logs.KIND, logs.story(world), version=logs.VERSION, at_once=2)
    # A run watches its target for minutes, and another must not wait for that.
    engine.tell(run.KIND, run.story(world), version=run.VERSION, at_once=RUNS_AT_ONCE)
    code = world.code
    if code is None:
        return
    engine.tell(pull_request.KIND, pull_request.story(world, code), version=pull_request.VERSION, at_once=4)
    engine.tell(pull_command.KIND, pull_command.story(world, code), version=pull_command.VERSION)
    engine.tell(ci_run.KIND, ci_run.story(world, code), version=ci_run.VERSION, at_once=2)
    engine.tell(change.KIND, change.story(world, code), version=change.VERSION, at_once=2)


@contextlib.contextmanager
def sole_server(path: Path) -> Any:
    """Hold the lock that only ``serve`` takes on a SQLite file. Raises ``CannotStart`` if another one serves it."""
    try:
        handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CannotStart(f"SIGNOFF_DATABASE_URL: {path} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise CannotStart(
            f"another signoff serve uses {path}: stop it, or give each its own SIGNOFF_DATABASE_URL "
            "(several replicas need postgresql://)"
        ) from error
    try:
        yield
    finally:
        os.close(handle)


@contextlib.asynccontextmanager
async def listening(configuration: Configuration, world: World, status: Status) -> AsyncIterator[None]:
    """Serve HTTP for as long as the context lasts. Raises ``CannotStart`` if the address is taken."""
    settings = configuration.settings
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    registry.register(Gauges(world))
    metrics = http.Metrics(registry)
    intake = http.Intake(
        world.database,
        world.engine.start_soon,
        token=settings.alertmanager_token.get_secret_value(),
        sources=frozenset(configuration.structure.sources),
        bounds=Bounds(bytes=settings.max_body_bytes, alerts=settings.max_alerts, depth=settings.max_depth),
        metrics=metrics,
    )
    routes = []
    if settings.github:
        secret = settings.github_webhook_secret.get_secret_value()
        own, start = settings.github_app_id, world.engine.start_soon
        routes = GitHubIntake(world.database, start, secret=secret, registry=registry, app_id=own).routes()
    runner = web.AppRunner(http.build(intake, metrics, status.read, routes), access_log=None, shutdown_timeout=5)
    await runner.setup()
    host, port = settings.listen
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise CannotStart(f"SIGNOFF_LISTEN: cannot listen on {host}:{port}: {error.strerror}") from error
    try:
        yield
    finally:
        await runner.cleanup()


async def engage(world: World, reaper: Reaper | None) -> None:
    """Bring the schema up to date and launch the engine, however long the database takes to be there; then fetch what
    the first incident needs, while the reaper runs for ever where other processes may die."""
    recorded = False
    while True:
        try:
            if not world.database.is_sqlite:
                await asyncio.to_thread(schema.migrate, world.database)
            if not recorded:
                await world.database.write(lambda connection: _started(connection, world))
                recorded = True
            if reaper is not None:
                # Before it has a job that others could take for a dead one's.
                await reaper.be_present()
            await world.engine.launch()
        except Exception as error:
            log.warning("the database is not ready; trying again", error=type(error).__name__, why=said_by(error))
            await asyncio.sleep(RETRY_SECONDS)
        else:
            _keep_for_good()
            break
    await asyncio.gather(warm(world), *([reaper.run()] if reaper is not None else []))


def _started(connection: Any, world: World) -> None:
    now = clock.advance(connection)
    voided = changing.announce(connection, world, now=now)
    bound = {"catalogue": world.catalogue.digest, "policy": world.rules.policy_digest}
    data: Mapping[str, Any] = {**bound, "voided": voided}
    audit.append(connection, at=now, kind="serve.started", actor="signoff", subject="serve", data=data)


async def warm(world: World) -> None:
    """Import what the first incident will need, off the loop and after everything answers."""
    if world.gateway is not None:
        with contextlib.suppress(Exception):
            await world.gateway.warm()
        _keep_for_good()


def _keep_for_good() -> None:
    # What start-up has made stays. Walking all of it stops the process for 0.2 s at every full garbage collection.
    gc.freeze()


async def end(background: list[asyncio.Task[None]], world: World) -> None:
    """Stop what runs in the background, the engine last: what it leaves is taken up at the next start."""
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)
    await world.engine.close()
