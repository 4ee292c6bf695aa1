"""The one place where the parts are put together, and the life of ``serve``."""

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
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from sqlalchemy.exc import SQLAlchemyError

from bot import log as logging
from bot import shipped
from bot.analysis import log_summary
from bot.analysis.offers import RunbookOffer, proposable
from bot.approvals import needs
from bot.chat.outbox import Outbox
from bot.clients import github as github_client
from bot.clients import slack as slack_client
from bot.clients.alertmanager import Alertmanager
from bot.clients.endpoint import Endpoint
from bot.clients.github import ACTION_PERMISSIONS, REVIEW_PERMISSIONS, Credential, GitHub
from bot.clients.kubernetes import Kubernetes
from bot.clients.loki import Loki
from bot.clients.slack_directory import SlackDirectory
from bot.domain.canonical import canonical, digest
from bot.domain.runbook import Runbook
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
from bot.jobs.engine import Engine
from bot.jobs.reaper import Reaper
from bot.jobs.world import ClusterAccess, CodeAccess, Rules, World
from bot.model import prompts
from bot.model.gateway import Gateway
from bot.model.prompts import Prompt, PromptError
from bot.redact import Redactor
from bot.runbooks import catalogue
from bot.runbooks.catalogue import Catalogue, RunbookError
from bot.settings import Configuration, Settings
from bot.status import Gauges, Status
from bot.store import audit, clock, schema
from bot.store.anchors import AnchorError, Anchors
from bot.store.database import Database, DatabaseError, said_by
from bot.store.presence import Presence
from bot.structure import Cluster, Identity

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

log = structlog.get_logger(__name__)

TRIAGE, DIFF_REVIEW, CI_FAILURE = "triage", "diff-review", "ci-failure"

RETRY_SECONDS = 2.0
RUNS_AT_ONCE = 64
HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000


class CannotStart(Exception):
    """Something that must be right from the start is not; the message says what, where and what is accepted."""


async def serve(configuration: Configuration) -> int:
    """Run until SIGTERM or SIGINT. Start-up waits for no connection: what is down is said in /readyz and tried again.

    Raises ``CannotStart`` for a broken runbook, prompt or database setting.
    """
    settings = configuration.settings
    redactor = redactor_of(settings)
    logging.configure(redactor, level=settings.log_level)
    books, triage = load_catalogue(settings), load_prompt(settings, TRIAGE)
    suit(books, configuration)
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
        world, client = await build(configuration, redactor, books, triage, database, life, name=name)
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
                "engine": engage(world, books, reaper),
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


def redactor_of(settings: Settings) -> Redactor:
    """Return the redactor that knows every secret this process holds."""
    keys = settings.keys()
    secrets = [form for forms in settings.secrets().values() for form in forms]
    return Redactor(secrets, key=keys.newest_key() if keys else None)


def gateway_of(settings: Settings, redactor: Redactor) -> Gateway | None:
    """Return the gateway to the model, or None when no key is configured."""
    key = settings.anthropic_api_key.get_secret_value()
    if not key:
        return None
    return Gateway(api_key=key, redactor=redactor, model=settings.model, base_url=settings.anthropic_base_url or None)


def load_catalogue(settings: Settings) -> Catalogue:
    """Load the runbooks. Raises ``CannotStart`` with every problem, by file, line and key."""
    try:
        return catalogue.load(shipped.runbooks(settings.runbooks))
    except RunbookError as error:
        raise CannotStart(f"the runbooks cannot be used:\n{error}") from error


def suit(books: Catalogue, configuration: Configuration) -> None:
    """Check that the policy can give what the runbooks ask for. Raises ``CannotStart`` naming each file and key."""
    problems = needs.problems(books.runbooks.values(), configuration.structure.policy())
    if problems:
        raise CannotStart("the runbooks do not fit the configuration:\n" + "\n".join(problems))


def tasks(settings: Settings) -> tuple[str, ...]:
    """Name the tasks that need a prompt with these settings."""
    return (TRIAGE, log_summary.TASK, *((DIFF_REVIEW, CI_FAILURE) if settings.github else ()))


def load_prompt(settings: Settings, name: str) -> Prompt:
    """Load a task's prompt. Raises ``CannotStart`` with the file, line and key that is wrong."""
    folder = shipped.prompts(settings.prompts)
    try:
        loaded = prompts.load(folder)
    except PromptError as error:
        raise CannotStart(f"the prompts cannot be used:\n{error}") from error
    if name not in loaded:
        raise CannotStart(f"the prompts cannot be used:\n{folder}: there is no folder {name}")
    return loaded[name]


def connect_github(configuration: Configuration) -> GitHub | None:
    """Make the client of GitHub for reviewing, or None where GitHub is not configured. Nothing is sent yet."""
    settings = configuration.settings
    if not settings.github:
        return None
    github_client.load()
    credential = Credential(
        token=settings.github_token.get_secret_value(),
        app_id=settings.github_app_id,
        private_key=settings.github_app_private_key.get_secret_value(),
        permissions=REVIEW_PERMISSIONS,
    )
    return GitHub(credential, base_url=settings.github_api_url)


def connect_actions(configuration: Configuration) -> GitHub | None:
    """Make the client of GitHub for approved actions, or None where there is no credential for them."""
    settings = configuration.settings
    if not settings.github_actions:
        return None
    github_client.load()
    credential = Credential(
        token=settings.github_actions_token.get_secret_value(),
        app_id=settings.github_actions_app_id,
        private_key=settings.github_actions_app_private_key.get_secret_value(),
        permissions=ACTION_PERMISSIONS,
    )
    return GitHub(credential, base_url=settings.github_api_url)


def code_access(configuration: Configuration, github: GitHub | None) -> CodeAccess | None:
    """Return what the stories reach of GitHub. Raises ``CannotStart`` for a broken prompt."""
    if github is None:
        return None
    rules = configuration.structure.github
    return CodeAccess(
        github=github,
        prompt=load_prompt(configuration.settings, DIFF_REVIEW),
        ci_prompt=load_prompt(configuration.settings, CI_FAILURE),
        listens_to=rules.listens_to,
        lists_repositories=bool(rules.repositories),
        channel=rules.channel,
        channels=frozenset(rules.channels),
        least_risk=rules.risk,
    )


def open_database(settings: Settings) -> Database:
    """Open the database. A database that does not answer yet is no reason not to start; a wrong setting is."""
    try:
        return Database(settings.database_url.get_secret_value(), keys=settings.keys())
    except DatabaseError as error:
        raise CannotStart(f"SIGNOFF_DATABASE_URL: {error}") from error


async def prepare(database: Database) -> None:
    """Bring a SQLite file's schema up to date. Raises ``CannotStart`` if the file is no database of ours."""
    try:
        await asyncio.to_thread(schema.migrate, database)
    except SQLAlchemyError as error:
        path = database.url.database
        raise CannotStart(f"SIGNOFF_DATABASE_URL: {path} cannot be used: {said_by(error)}") from error


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


async def build(
    configuration: Configuration,
    redactor: Redactor,
    books: Catalogue,
    triage: Prompt,
    database: Database,
    life: contextlib.AsyncExitStack,
    *,
    name: str,
) -> tuple[World, AsyncWebClient]:
    """Make every room's part and hand them to the world of the stories."""
    settings = configuration.settings
    client = slack_client.open_client(settings.slack_bot_token.get_secret_value(), base_url=settings.slack_api_url)
    life.push_async_callback(slack_client.close, client)
    clusters = await asyncio.to_thread(connect_clusters, configuration, redactor)
    for access in clusters.values():
        life.push_async_callback(access.close)
    gateway = gateway_of(settings, redactor)
    if gateway is not None:
        life.push_async_callback(gateway.close)
    github = connect_github(configuration)
    if github is not None:
        life.push_async_callback(github.close)
    actions = connect_actions(configuration)
    if actions is not None:
        life.push_async_callback(actions.close)
    world = World(
        database=database,
        engine=Engine(database, executor_id=name),
        outbox=Outbox(database, client, name=name),
        redactor=redactor,
        clusters=clusters,
        catalogue=books,
        offers=tuple(
            each
            for each in map(offer, books.runbooks.values())
            if proposable(each) and (actions is not None or not each.on_github)
        ),
        gateway=gateway,
        prompt=triage,
        log_prompt=load_prompt(settings, log_summary.TASK),
        directory=SlackDirectory(client),
        rules=rules_of(configuration),
        anchors=anchors_of(configuration),
        code=code_access(configuration, github),
        endpoints=endpoints_of(configuration),
        secrets=secrets_of(configuration, redactor),
        actions=actions,
        acts_in=configuration.structure.github.listens_to,
    )
    world.engine.tell(incident.KIND, incident.story(world), version=incident.VERSION)
    world.engine.tell(investigation.KIND, investigation.story(world), version=investigation.VERSION, at_once=4)
    world.engine.tell(asking.KIND, asking.story(world), version=asking.VERSION, at_once=4)
    world.engine.tell(vote.KIND, vote.story(world), version=vote.VERSION)
    # Each may hold some dozens of megabytes.
    world.engine.tell(logs.KIND, logs.story(world), version=logs.VERSION, at_once=2)
    # A run watches its target for minutes, and another must not wait for that.
    world.engine.tell(run.KIND, run.story(world), version=run.VERSION, at_once=RUNS_AT_ONCE)
    if world.code is not None:
        tell_of_code(world, world.code)
    return world, client


def tell_of_code(world: World, code: CodeAccess) -> None:
    """Register the stories of what happens on GitHub."""
    engine = world.engine
    engine.tell(pull_request.KIND, pull_request.story(world, code), version=pull_request.VERSION, at_once=4)
    engine.tell(pull_command.KIND, pull_command.story(world, code), version=pull_command.VERSION)
    engine.tell(ci_run.KIND, ci_run.story(world, code), version=ci_run.VERSION, at_once=2)
    engine.tell(change.KIND, change.story(world, code), version=change.VERSION, at_once=2)


def connect_clusters(configuration: Configuration, redactor: Redactor) -> dict[str, ClusterAccess]:
    """Make the clients of every configured cluster, and have their credentials redacted; nothing is sent yet. Raises
    ``CannotStart`` naming the key."""

    def client(name: str, role: str, identity: Identity) -> Kubernetes:
        key = f"clusters.{name}.{role}"
        hold = partial(redactor.hold, key)
        try:
            if identity.in_cluster:
                token = str(identity.token_file) if identity.token_file else None
                return Kubernetes.in_cluster(cluster=name, identity=role, token_file=token, hold=hold)
            path = configuration.settings.kubeconfig or None
            return Kubernetes.from_kubeconfig(path, identity.context, cluster=name, identity=role, hold=hold)
        except Exception as error:
            raise CannotStart(f"{key}: {error}") from error

    def access(name: str, cluster: Cluster) -> ClusterAccess:
        runner = client(name, "runner", cluster.runner) if cluster.runner else None
        kept = cluster.loki
        loki = Loki(kept.url, cluster=name, token_file=kept.token_file, tenant=kept.tenant) if kept else None
        alerts = cluster.alertmanager
        alertmanager = Alertmanager(alerts.url, cluster=name, token_file=alerts.token_file) if alerts else None
        return ClusterAccess(client(name, "reader", cluster.reader), runner, loki, alertmanager)

    return {name: access(name, cluster) for name, cluster in configuration.structure.clusters.items()}


def endpoints_of(configuration: Configuration) -> dict[str, Endpoint]:
    """Return what runbooks may send to, by name; nothing is sent yet."""
    return {
        name: Endpoint(
            name,
            given.url,
            method=given.method,
            token_file=given.token_file,
            body_schema=given.body,
            allow_networks=given.allow_networks,
        )
        for name, given in configuration.structure.endpoints.items()
    }


def secrets_of(configuration: Configuration, redactor: Redactor) -> dict[str, str]:
    """Read the secrets that runbooks may refer to by name, and have them redacted. Raises ``CannotStart``."""
    found = {}
    for name, path in configuration.structure.secrets.items():
        try:
            found[name] = path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise CannotStart(f"secrets.{name}: {path} cannot be read: {why}") from None
        redactor.hold(f"secrets.{name}", [found[name]])
    return found


def anchors_of(configuration: Configuration) -> Anchors:
    """Return what was noted of the audit's head so far. Raises ``CannotStart`` if its file cannot be used."""
    anchors = Anchors(configuration.structure.audit.anchor_file)
    try:
        anchors.load()
    except AnchorError as error:
        raise CannotStart(f"audit.anchor_file: {error}") from error
    return anchors


def rules_of(configuration: Configuration) -> Rules:
    """Return what the configuration decides, with the digest of the part that says who may approve."""
    settings, structure = configuration.settings, configuration.structure
    policy = structure.policy()
    return Rules(
        channel_for=structure.channel_for,
        cluster_for=structure.cluster_for,
        policy=policy,
        policy_digest=digest(canonical(policy.data())),
        reopen_within=int(settings.reopen_minutes * MINUTE_US),
        stale_after=int(settings.stale_hours * HOUR_US),
        evidence_seconds=settings.evidence_seconds,
        model_seconds=settings.model_deadline_seconds,
        logs=structure.readable_logs(),
        default_cluster=structure.default_cluster,
        direct_messages=structure.direct_messages,
        registries=tuple(structure.registries),
        several_sources=len(structure.sources) > 1,
        anchor_channel=structure.audit.anchor_channel,
        anchor_every=int(structure.audit.anchor_minutes * MINUTE_US),
    )


def offer(runbook: Runbook) -> RunbookOffer:
    """Return what an analyst may know of a runbook."""
    return RunbookOffer(
        id=runbook.id,
        title=runbook.title,
        description=runbook.description,
        risk=runbook.risk,
        parameters=runbook.parameters,
        target_kinds=(runbook.target.kind,),
    )


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
        routes = GitHubIntake(world.database, world.engine.start_soon, secret=secret, registry=registry).routes()
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


async def engage(world: World, books: Catalogue, reaper: Reaper | None) -> None:
    """Bring the schema up to date and launch the engine, however long the database takes to be there; then fetch what
    the first incident needs, while the reaper runs for ever where other processes may die."""
    recorded = False
    while True:
        try:
            if not world.database.is_sqlite:
                await asyncio.to_thread(schema.migrate, world.database)
            if not recorded:
                await world.database.write(lambda connection: _started(connection, world, books))
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


def _started(connection: Any, world: World, books: Catalogue) -> None:
    now = clock.advance(connection)
    voided = changing.announce(connection, world, now=now)
    data: Mapping[str, Any] = {"catalogue": books.digest, "policy": world.rules.policy_digest, "voided": voided}
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
