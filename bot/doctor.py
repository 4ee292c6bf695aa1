"""The doctor: tries every connection that ``serve`` needs, and says for each failure what to do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from bot import assembly
from bot.approvals.eligible import unfit
from bot.clients import github as github_client
from bot.clients import slack as slack_client
from bot.clients.alertmanager import Alertmanager, AlertmanagerError
from bot.clients.endpoint import EndpointError
from bot.clients.github import ACTION_PERMISSIONS, REVIEW_PERMISSIONS, GitHub, GitHubError, GitHubUnreachable
from bot.clients.kubernetes import Kubernetes, KubernetesError, KubernetesUnreachable
from bot.clients.loki import Loki, LokiError
from bot.clients.slack_directory import SlackDirectory
from bot.redact import Redactor
from bot.runbooks import rbac
from bot.runbooks.catalogue import Catalogue
from bot.runbooks.resources import Verb
from bot.settings import Configuration
from bot.store import clock, schema
from bot.store.database import Database, NoDatabase

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

SECONDS = 15.0
MOST_REPOSITORIES = 20
WEBHOOK_EVENTS = frozenset(
    {
        "deployment_status",
        "issue_comment",
        "pull_request",
        "pull_request_review_comment",
        "push",
        "workflow_run",
    }
)
# Slack answers 100 such questions a minute (https://api.slack.com/methods/users.info: tier 4).
APPROVERS_READ = 50


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one check: ``ok`` is None when there was nothing to check."""

    name: str
    ok: bool | None
    sentence: str
    remedy: str = ""


async def report(configuration: Configuration, *, as_json: bool) -> int:
    """Run all checks, print them, and return the exit status: 1 if any failed."""
    checks = await examine(configuration)
    _tell(checks, as_json=as_json)
    return 1 if any(check.ok is False for check in checks) else 0


def refused(problems: Sequence[str], *, as_json: bool) -> int:
    """Print what is wrong with a configuration with which nothing can be checked. Returns the exit status, 2."""
    remedy = "Mend it, then try again; the README lists every setting."
    _tell([Check("configuration", False, problem, remedy) for problem in problems], as_json=as_json)
    return 2


def _tell(checks: Sequence[Check], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(check) for check in checks], indent=2))
        return
    for check in checks:
        mark = {True: "ok  ", False: "FAIL", None: "-   "}[check.ok]
        click.echo(f"{mark}  {check.name}: {check.sentence}")
        if check.remedy:
            click.echo(f"      {check.remedy}")


async def examine(configuration: Configuration) -> list[Check]:
    """Run all checks at once, each bounded in time. Nothing is changed anywhere."""
    books, checks = _files(configuration)
    await _load(configuration)
    parts = {"database": _database, "slack": _slack, "model": _model, "endpoints": _endpoints, "github": _github}
    redactor = assembly.redactor_of(configuration.settings)
    running = [_guarded(name, partial(part, configuration), redactor) for name, part in parts.items()]
    for group in await asyncio.gather(*running, _clusters(configuration, books)):
        checks += group
    return checks


async def _load(configuration: Configuration) -> None:
    """Import what the checks need before their clocks run: that takes seconds where a processor is slow or taken."""
    if configuration.settings.github or configuration.settings.github_actions:
        github_client.load()
    gateway = assembly.gateway_of(configuration.settings, assembly.redactor_of(configuration.settings))
    if gateway is not None:
        await gateway.warm()
        await gateway.close()


async def _guarded(name: str, examine_it: Callable[[], Awaitable[list[Check]]], redactor: Redactor) -> list[Check]:
    try:
        async with asyncio.timeout(SECONDS):
            return await examine_it()
    except TimeoutError:
        return [Check(name, False, f"no answer within {SECONDS:.0f} s", "Check the address, the network and proxies.")]
    except Exception as error:
        said = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        return [Check(name, False, redactor.text(said), "Mend what the sentence names, then try again.")]


def _files(configuration: Configuration) -> tuple[Catalogue | None, list[Check]]:
    checks: list[Check] = []
    books = None
    try:
        books = assembly.load_catalogue(configuration)
        checks.append(Check("runbooks", True, f"{len(books.runbooks)} runbooks, digest {books.digest[:12]}"))
    except assembly.CannotStart as error:
        remedy = "Mend what is named; `signoff runbooks lint` checks the files."
        checks.append(Check("runbooks", False, str(error), remedy))
    try:
        texts = assembly.load_prompts(configuration.settings)
        loaded = [texts[task] for task in assembly.tasks(configuration.settings)]
        said = ", ".join(f"{prompt.id} version {prompt.version}, digest {prompt.digest[:12]}" for prompt in loaded)
        checks.append(Check("prompts", True, said))
    except assembly.CannotStart as error:
        checks.append(Check("prompts", False, str(error), "Mend the files, or unset SIGNOFF_PROMPTS."))
    anchors = configuration.structure.audit.anchor_file
    if anchors is not None:
        try:
            torn = assembly.anchors_of(configuration).torn
            there = anchors.absolute().parent.is_dir()
            said = "can be read" if anchors.exists() else f"will be made in {anchors.absolute().parent}"
            said += f"; cut off in writing: line {', '.join(map(str, torn))}" if torn else ""
            missing = f"there is no folder {anchors.absolute().parent}"
            checks.append(Check("audit.anchor_file", there, said if there else missing, "" if there else "Create it."))
        except assembly.CannotStart as error:
            checks.append(Check("audit.anchor_file", False, str(error), "Mend the file, or name another one."))
    return books, checks


async def _database(configuration: Configuration) -> list[Check]:
    url = configuration.settings.database_url.get_secret_value()
    try:
        database = Database(url, read_only=True)
    except NoDatabase as error:
        return [_first_start(error)]
    try:
        empty = await asyncio.to_thread(schema.is_empty, database)
        lead = "" if empty else await asyncio.to_thread(database.read_now, clock.lead)
    finally:
        await asyncio.to_thread(database.close)
    kind = "SQLite (one replica)" if database.is_sqlite else "PostgreSQL"
    checks = [Check("database", True, f"{kind} answers" + ("; serve will create its tables" if empty else ""))]
    if lead:
        remedy = "See that the clock is right. The lead is lost only while all of Signoff is stopped, for as long."
        checks.append(Check("time", False, lead, remedy))
    return checks


def _first_start(missing: NoDatabase) -> Check:
    """Say whether ``serve`` can make the file that is not there yet, without making it."""
    folder = missing.path.absolute().parent
    if not folder.exists():
        remedy = "Create the folder, or give another SIGNOFF_DATABASE_URL."
        return Check("database", False, f"there is no folder {folder} for {missing.path.name}", remedy)
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return Check("database", True, str(missing))
    remedy = f"Let the user that runs Signoff write to {folder}, or give another SIGNOFF_DATABASE_URL."
    return Check("database", False, f"{missing.path} cannot be made in {folder}", remedy)


async def _slack(configuration: Configuration) -> list[Check]:
    settings = configuration.settings
    client = slack_client.open_client(settings.slack_bot_token.get_secret_value(), base_url=settings.slack_api_url)
    checks = []
    try:
        identity = await client.auth_test()
        team = str(identity["team_id"])
        checks.append(Check("slack", True, f"connected as {identity['user']} in workspace {identity['team']} ({team})"))
        checks.append(_scopes(str(identity.headers.get("x-oauth-scopes", ""))))
        opened = await client.apps_connections_open(app_token=settings.slack_app_token.get_secret_value())
        checks.append(Check("socket mode", bool(opened["ok"]), "a connection can be opened"))
        channels = {configuration.structure.channel, *(route.channel for route in configuration.structure.routes)}
        channels |= set(configuration.structure.logs.channels)
        for channel in sorted(channels):
            checks.append(await _channel(client, channel))
        # Clicks of an enterprise's people are stored under the enterprise.
        checks.append(await _approvers(configuration, str(identity.get("enterprise_id") or team), client))
    except Exception as error:
        code = slack_client.error_code(error)
        remedy = "Check SLACK_BOT_TOKEN, SLACK_APP_TOKEN and that slack.com can be reached."
        checks.append(Check("slack", False, f"Slack refused or did not answer: {code}", remedy))
    finally:
        await slack_client.close(client)
    return checks


async def _approvers(configuration: Configuration, home: str, client: AsyncWebClient) -> Check:
    """Say who of those who are listed could not vote, and which user group cannot be read."""
    policy = configuration.structure.policy()
    gaps = policy.gaps()
    if gaps:
        remedy = "List people under approvers or groups in the file that SIGNOFF_CONFIG names."
        return Check("approvers", False, "; ".join(gap.partition(": ")[2] for gap in gaps), remedy)
    groups = (*policy.groups.values(), policy.break_glass)
    people = sorted({person for group in groups for person in group.users})
    foreign = sum(person.team_id != home for person in people)
    if foreign:
        remedy = f"Approvers are TEAM_ID:USER_ID with the workspace {home}; others can never vote."
        return Check("approvers", False, f"{foreign} of {len(people)} listed are of another workspace", remedy)
    directory = SlackDirectory(client)
    faults = []
    for person in people[:APPROVERS_READ]:
        standing = (await directory.standing(person, max_age=0)).value
        fault = unfit(standing) if standing.known else f"{person} cannot be read."
        faults += [f"{person}: {fault.rstrip('.')}"] if fault else []
    user_groups = sorted({each for group in groups for each in group.user_groups})
    for each in user_groups:
        members = (await directory.members(each.group_id, max_age=0)).value
        if not members:
            why = "has nobody in it" if members is not None else "cannot be read (a free plan has no user groups)"
            faults.append(f"the user group {each.group_id} {why}")
    if faults:
        remedy = (
            "Correct approvers, groups or break_glass in the file that SIGNOFF_CONFIG names, or the accounts in Slack."
        )
        return Check("approvers", False, "; ".join(faults), remedy)
    listed = f"listed: {len(people)}" + (f", user groups: {len(user_groups)}" if user_groups else "")
    return Check("approvers", True, f"{listed}; each can vote")


def _scopes(given: str) -> Check:
    from bot.chat.manifest import manifest

    if not given:
        return Check("slack scopes", None, "Slack did not say which scopes the token has")
    missing = set(manifest()["oauth_config"]["scopes"]["bot"]) - set(given.replace(" ", "").split(","))
    if missing:
        remedy = "Update the app from `signoff manifest` and install it again."
        return Check("slack scopes", False, f"missing: {', '.join(sorted(missing))}", remedy)
    return Check("slack scopes", True, "all that are needed")


async def _channel(client: AsyncWebClient, channel: str) -> Check:
    name = f"channel {channel}"
    try:
        answer = await client.conversations_info(channel=channel)
    except Exception as error:
        remedy = "Give the id of a channel that exists, and invite the bot: /invite @signoff"
        return Check(name, False, f"cannot be read: {slack_client.error_code(error)}", remedy)
    found = answer["channel"]
    if not found.get("is_member"):
        return Check(name, False, f"the bot is not in #{found.get('name')}", "Invite it there: /invite @signoff")
    if found.get("is_ext_shared"):
        remedy = "Choose a channel of this workspace alone."
        return Check(name, False, f"#{found.get('name')} is shared with another workspace", remedy)
    return Check(name, True, f"#{found.get('name')}")


async def _model(configuration: Configuration) -> list[Check]:
    async with contextlib.AsyncExitStack() as life:
        gateway = assembly.gateway_of(configuration.settings, assembly.redactor_of(configuration.settings))
        if gateway is None:
            return [Check("model", None, "no ANTHROPIC_API_KEY: the rule-based analyst answers alone")]
        life.push_async_callback(gateway.close)
        problem = await gateway.probe(deadline_seconds=SECONDS - 2)
    if problem:
        remedy = "Check ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL and SIGNOFF_MODEL; until then the rules answer."
        return [Check("model", False, problem, remedy)]
    return [Check("model", True, f"{gateway.model} is there")]


async def _github(configuration: Configuration) -> list[Check]:
    """Try both credentials: whose they are, what an app may do, and whether the listed repositories are in reach."""
    reviewing, acting = assembly.connect_github(configuration), assembly.connect_actions(configuration)
    given = (
        ("github", reviewing, REVIEW_PERMISSIONS, "GITHUB_APP_ID and its key, or GITHUB_TOKEN"),
        ("github actions", acting, ACTION_PERMISSIONS, "GITHUB_ACTIONS_TOKEN, or the second app"),
    )
    checks = []
    for name, client, needed, variable in given:
        if client is None:
            checks.append(Check(name, None, "not configured"))
            continue
        try:
            checks.append(await _credential(name, client, needed, configuration))
        except (GitHubError, GitHubUnreachable) as error:
            checks.append(Check(name, False, str(error), f"Check {variable}, SIGNOFF_GITHUB_API_URL and the network."))
        finally:
            await client.close()
    return checks


async def _credential(name: str, client: GitHub, needed: Mapping[str, str], configuration: Configuration) -> Check:
    told = await client.app() if client.credential.is_app else {}
    login = await client.login()
    levels = ("none", "read", "write", "admin")
    granted = told.get("permissions") or {}
    lacking = [
        f"{permission}: {level}"
        for permission, level in needed.items()
        if told and levels.index(str(granted.get(permission, "none"))) < levels.index(level)
    ]
    if lacking:
        remedy = "Give the app these permissions, and have its owner accept them. docs/github.md lists all."
        return Check(name, False, f"{login} lacks {', '.join(lacking)}", remedy)
    events = set(told.get("events") or ()) if name == "github" and told else WEBHOOK_EVENTS
    silent = sorted(WEBHOOK_EVENTS - events)
    if silent:
        return Check(name, False, f"{login} is not told of {', '.join(silent)}", "Subscribe the app to these events.")
    listed = [each for each in configuration.structure.github.repositories if not each.endswith("/*")]
    for repository in listed[:MOST_REPOSITORIES]:
        try:
            await client.get(repository, "")
        except GitHubError as error:
            remedy = "Install the app there, or let the token reach it; or take it out of github.repositories."
            return Check(name, False, f"{repository}: {error}", remedy)
    return Check(name, True, f"connected as {login}" + (f", reaches {len(listed)} repositories" if listed else ""))


async def _clusters(configuration: Configuration, books: Catalogue | None) -> list[Check]:
    if not configuration.structure.clusters:
        remedy = "Name them under clusters in the file that SIGNOFF_CONFIG names."
        return [Check("clusters", False, "none is configured, so no evidence can be read", remedy)]
    try:
        clusters = await asyncio.to_thread(
            assembly.connect_clusters, configuration, assembly.redactor_of(configuration.settings)
        )
    except assembly.CannotStart as error:
        return [Check("clusters", False, str(error), "Mend the kubeconfig or the configuration file.")]
    namespaces = configuration.structure.namespaces
    needs = rbac.runner(books.runbooks.values()) if books else frozenset()
    checks: list[Check] = []
    for access in clusters.values():
        checks.append(await _identity(access.reader, rbac.reader(), namespaces))
        if access.runner is not None:
            checks.append(await _identity(access.runner, rbac.namespaced(needs), namespaces))
            checks += await _nodes(access.runner, needs - rbac.namespaced(needs))
            await access.runner.close()
        await access.reader.close()
        if access.loki is not None:
            checks.append(await _loki(access.loki))
        if access.alertmanager is not None:
            checks.append(await _alertmanager(access.alertmanager))
    return checks


async def _endpoints(configuration: Configuration) -> list[Check]:
    """Check what runbooks send to: that its address may be connected to; and that what they put in can be read."""
    checks = []
    for name, endpoint in assembly.endpoints_of(configuration).items():
        try:
            await endpoint.probe()
        except EndpointError as error:
            remedy = "Check url and allow_networks of the endpoint in the configuration file."
            checks.append(Check(f"endpoint {name}", False, str(error), remedy))
        else:
            checks.append(Check(f"endpoint {name}", True, "its address may be connected to"))
    if configuration.structure.secrets:
        try:
            found = assembly.secrets_of(configuration, assembly.redactor_of(configuration.settings))
            checks.append(Check("secrets of runbooks", True, f"{len(found)} can be read"))
        except assembly.CannotStart as error:
            checks.append(Check("secrets of runbooks", False, str(error), "Mount the file, or take the name out."))
    return checks


async def _nodes(runner: Kubernetes, needs: frozenset[Verb]) -> list[Check]:
    """Say whether runbooks that cordon and drain can be used. Who does not want them grants nothing outside of
    namespaces, so that is no failure."""
    if not needs:
        return []
    name = f"cluster {runner.cluster}, runner on nodes"
    try:
        lacking = [f"{verb.verb} {verb.qualified}" for verb in sorted(needs) if not await _may(runner, verb, "")]
    except (KubernetesError, KubernetesUnreachable):
        return []  # said of the runner itself already
    if lacking:
        said = f"may not {', '.join(lacking)}, so runbooks about nodes cannot be used here (`signoff rbac --nodes`)"
        return [Check(name, None, said)]
    return [Check(name, True, "has its rights")]


async def _alertmanager(alertmanager: Alertmanager) -> Check:
    name = f"cluster {alertmanager.cluster}, alertmanager"
    try:
        await alertmanager.probe()
    except AlertmanagerError as error:
        remedy = "Check url and token_file of alertmanager in the configuration file."
        return Check(name, False, str(error), remedy)
    finally:
        await alertmanager.close()
    return Check(name, True, "answers")


async def _loki(loki: Loki) -> Check:
    name = f"cluster {loki.cluster}, loki"
    try:
        async with loki:
            await loki.probe()
    except LokiError as error:
        return Check(name, False, str(error), "Check url, token_file and tenant of loki in the configuration file.")
    return Check(name, True, "answers")


async def _identity(kubernetes: Kubernetes, needs: frozenset[Verb], namespaces: list[str]) -> Check:
    name = f"cluster {kubernetes.cluster}, {kubernetes.identity}"
    try:
        async with asyncio.timeout(SECONDS):
            if await kubernetes.allowed("*", "*", group="*", namespace=namespaces[0] if namespaces else "default"):
                remedy = "Give it the roles that `signoff rbac` prints, and nothing more."
                return Check(name, False, "may do everything, which neither identity should", remedy)
            wide = [place for place in namespaces or ["default"] if _has_wildcard(await kubernetes.rules(place))]
            if wide:
                remedy = "Give it the roles that `signoff rbac` prints, which name every verb and resource."
                said = f"has a rule with a wildcard (*) in {', '.join(wide)}, so nobody can say what it may do"
                return Check(name, False, said, remedy)
            lacking = [
                f"{verb.verb} {verb.qualified} in {namespace}"
                for namespace in namespaces
                for verb in sorted(needs)
                if not await _may(kubernetes, verb, namespace)
            ]
    except (KubernetesError, KubernetesUnreachable, TimeoutError) as error:
        said = getattr(error, "message", "") or str(error) or "no answer"
        return Check(name, False, said, "Check the kubeconfig context, the network and the credentials.")
    if lacking:
        remedy = "Apply what `signoff rbac -n NAMESPACE` prints, or the chart with rbac.namespaces."
        return Check(name, False, f"may not {'; '.join(lacking[:8])}", remedy)
    if not namespaces:
        return Check(name, True, "answers (name namespaces in the configuration to have its rights checked)")
    return Check(name, True, f"answers, and has its rights in {', '.join(namespaces)}")


def _has_wildcard(rules: list[dict[str, Any]]) -> bool:
    return any(
        "*" in part or part.startswith("*/")
        for rule in rules
        for key in ("verbs", "resources", "apiGroups")
        for part in rule.get(key) or ()
    )


async def _may(kubernetes: Kubernetes, verb: Verb, namespace: str) -> bool:
    resource, _, subresource = verb.resource.partition("/")
    return await kubernetes.allowed(verb.verb, resource, group=verb.group, namespace=namespace, subresource=subresource)
