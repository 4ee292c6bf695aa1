"""The one place where the parts are made of the configuration, and put together to the world of the stories."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot import shipped
from bot.analysis import log_summary
from bot.analysis.offers import RunbookOffer, proposable
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
from bot.jobs.engine import Engine
from bot.jobs.world import ClusterAccess, CodeAccess, Rules, World
from bot.model import prompts
from bot.model.gateway import Gateway
from bot.model.prompts import Prompt, PromptError
from bot.redact import Redactor
from bot.runbooks import catalogue
from bot.runbooks.catalogue import Catalogue, RunbookError
from bot.settings import Configuration, Settings
from bot.store.anchors import AnchorError, Anchors
from bot.store.database import Database, DatabaseError
from bot.structure import Cluster, Identity

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

TRIAGE, DIFF_REVIEW, CI_FAILURE = "triage", "diff-review", "ci-failure"

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000


class CannotStart(Exception):
    """Something that must be right from the start is not; the message says what, where and what is accepted."""


async def world_of(
    configuration: Configuration,
    redactor: Redactor,
    books: Catalogue,
    texts: Mapping[str, Prompt],
    database: Database,
    life: contextlib.AsyncExitStack,
    *,
    name: str,
) -> tuple[World, AsyncWebClient]:
    """Make every room's part and hand them to the world of the stories; ``life`` closes them at its end. ``texts`` are
    the prompts by task."""
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
            for each in map(RunbookOffer.of, books.runbooks.values())
            if proposable(each) and (actions is not None or not each.on_github)
        ),
        gateway=gateway,
        prompt=texts[TRIAGE],
        log_prompt=texts[log_summary.TASK],
        directory=SlackDirectory(client),
        rules=rules_of(configuration),
        anchors=anchors_of(configuration),
        code=code_access(configuration, github, texts),
        endpoints=endpoints_of(configuration),
        secrets=secrets_of(configuration, redactor),
        actions=actions,
        acts_in=configuration.structure.github.listens_to,
    )
    return world, client


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


def load_catalogue(configuration: Configuration) -> Catalogue:
    """Load the runbooks, which may ask for the configured groups only. Raises ``CannotStart`` with every problem, by
    file, line and key."""
    try:
        groups = configuration.structure.policy().groups
        return catalogue.load(shipped.runbooks(configuration.settings.runbooks), groups)
    except RunbookError as error:
        raise CannotStart(f"the runbooks cannot be used:\n{error}") from error


def tasks(settings: Settings) -> tuple[str, ...]:
    """Name the tasks that need a prompt with these settings."""
    return (TRIAGE, log_summary.TASK, *((DIFF_REVIEW, CI_FAILURE) if settings.github else ()))


def load_prompts(settings: Settings) -> Mapping[str, Prompt]:
    """Load the prompt of every task, by task. Raises ``CannotStart`` with the file, line and key that is wrong."""
    folder = shipped.prompts(settings.prompts)
    try:
        loaded = prompts.load(folder)
    except PromptError as error:
        raise CannotStart(f"the prompts cannot be used:\n{error}") from error
    for name in tasks(settings):
        if name not in loaded:
            raise CannotStart(f"the prompts cannot be used:\n{folder}: there is no folder {name}")
    return loaded


def open_database(settings: Settings) -> Database:
    """Open the database. A database that does not answer yet is no reason not to start; a wrong setting is."""
    try:
        return Database(settings.database_url.get_secret_value(), keys=settings.keys())
    except DatabaseError as error:
        raise CannotStart(f"SIGNOFF_DATABASE_URL: {error}") from error


def anchors_of(configuration: Configuration) -> Anchors:
    """Return what was noted of the audit's head so far. Raises ``CannotStart`` if its file cannot be used."""
    anchors = Anchors(configuration.structure.audit.anchor_file)
    try:
        anchors.load()
    except AnchorError as error:
        raise CannotStart(f"audit.anchor_file: {error}") from error
    return anchors


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
        return ClusterAccess(client(name, "reader", cluster.reader), runner, loki, alertmanager, tuple(cluster.acts_in))

    return {name: access(name, cluster) for name, cluster in configuration.structure.clusters.items()}


def connect_github(configuration: Configuration) -> GitHub | None:
    """Make the client of GitHub for reviewing, or None where GitHub is not configured. Nothing is sent yet."""
    given = configuration.settings
    if not given.github:
        return None
    return _github(given, given.github_token, given.github_app_id, given.github_app_private_key, REVIEW_PERMISSIONS)


def connect_actions(configuration: Configuration) -> GitHub | None:
    """Make the client of GitHub for approved actions, or None where there is no credential for them."""
    given = configuration.settings
    if not given.github_actions:
        return None
    app_id, key = given.github_actions_app_id, given.github_actions_app_private_key
    return _github(given, given.github_actions_token, app_id, key, ACTION_PERMISSIONS)


def _github(
    settings: Settings, token: SecretStr, app_id: str, private_key: SecretStr, permissions: Mapping[str, str]
) -> GitHub:
    github_client.load()
    credential = Credential(
        token=token.get_secret_value(),
        app_id=app_id,
        private_key=private_key.get_secret_value(),
        permissions=permissions,
    )
    return GitHub(credential, base_url=settings.github_api_url)


def code_access(configuration: Configuration, github: GitHub | None, texts: Mapping[str, Prompt]) -> CodeAccess | None:
    """Return what the stories reach of GitHub, with the prompts by task."""
    if github is None:
        return None
    rules = configuration.structure.github
    return CodeAccess(
        github=github,
        prompt=texts[DIFF_REVIEW],
        ci_prompt=texts[CI_FAILURE],
        listens_to=rules.listens_to,
        lists_repositories=bool(rules.repositories),
        channel=rules.channel,
        channels=frozenset(rules.channels),
        least_risk=rules.risk,
    )


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
