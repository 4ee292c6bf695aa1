"""Starts the chosen stand-ins in one process and prints the environment that points ``signoff serve`` at them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import yaml
from aiohttp import web

from bot.sandbox import github, kubernetes, loki, messages, silences, slack
from bot.sandbox.alertmanager import Alertmanager, Watched
from bot.sandbox.github import shop as github_shop
from bot.sandbox.kubernetes import shop

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PORT = click.IntRange(0, 65_535)
_SCENARIO = "break_checkout"
_TEXT = (
    "checkout 4.18.0 was rolled out a moment ago, and its image cannot be pulled. Let the alert fire and watch "
    "#incidents: a card, the evidence, a triage, and a proposal to roll back. As Dana, a developer, try to approve "
    "it. Then be Lee, who is on call. Signoff rolls back once, checks that it helped, and the alert resolves."
)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--slack", "slack_port", type=_PORT, help="Start Slack on this port (0: any free one).")
@click.option("--kubernetes", "kubernetes_port", type=_PORT, help="Start Kubernetes on this port.")
@click.option(
    "--messages",
    "messages_port",
    type=_PORT,
    help="Start the Messages API on this port; scripted.",
)
@click.option("--loki", "loki_port", type=_PORT, help="Start Loki, for the logs of cluster prod, on this port.")
@click.option("--alertmanager", "silences_port", type=_PORT, help="Start Alertmanager, for silences, on this port.")
@click.option("--github", "github_port", type=_PORT, help="Start GitHub on this port, with the shop's repository.")
@click.option("--github-webhook", default="", help="Deliver GitHub's webhooks to this URL.")
@click.option("--manifest", type=_FILE, help="The Slack app manifest. Default: what `signoff manifest` prints.")
@click.option("--roles", type=_FILE, help="Kubernetes roles. Default: what `signoff rbac -n shop --nodes` prints.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Where kubeconfig and YAML go.")
@click.option("--config", type=_FILE, help="Your own SIGNOFF_CONFIG: what the stand-ins are is added to a copy of it.")
@click.option("--webhook", default="", help="Deliver the shop's alert to this URL (token: SIGNOFF_ALERTMANAGER_TOKEN).")
@click.option("--healthy", is_flag=True, help="Do not break the shop's checkout.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of shell lines.")
def sandbox(**options: Any) -> None:
    """Start local stand-ins (Slack and Kubernetes, if none is named) until interrupted.

    Prints the environment for `signoff serve`; leave one out and set its variables yourself to use the real thing.
    """
    given = Options(**options)
    ports = (given.slack_port, given.kubernetes_port, given.messages_port, given.loki_port, given.github_port)
    if all(port is None for port in (*ports, given.silences_port)):
        given = replace(given, slack_port=0, kubernetes_port=0)
    app: Mapping[str, Any] = {}
    roles: list[Mapping[str, Any]] = []
    if given.slack_port is not None:
        app = json.loads(given.manifest.read_text() if given.manifest else _signoff("manifest"))
    if given.kubernetes_port is not None:
        text = given.roles.read_text() if given.roles else _signoff("rbac", "-n", shop.NAMESPACE, "--nodes")
        roles = [document for document in yaml.safe_load_all(text) if document["kind"] in ("Role", "ClusterRole")]
    with contextlib.ExitStack() as life:
        place = given.folder or Path(life.enter_context(tempfile.TemporaryDirectory(prefix="signoff-sandbox-")))
        place.mkdir(parents=True, exist_ok=True)
        asyncio.run(_run(given, app, roles, place.absolute()))


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was given. A port of None leaves that stand-in out."""

    slack_port: int | None
    kubernetes_port: int | None
    messages_port: int | None
    loki_port: int | None
    silences_port: int | None
    github_port: int | None
    github_webhook: str
    manifest: Path | None
    roles: Path | None
    folder: Path | None
    config: Path | None
    webhook: str
    healthy: bool
    as_json: bool


async def _run(given: Options, app: Mapping[str, Any], roles: Sequence[Mapping[str, Any]], place: Path) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    environment: dict[str, str] = {}
    structure: dict[str, Any] = {}
    urls: dict[str, str] = {}
    alerts = None
    async with contextlib.AsyncExitStack() as life:
        if given.kubernetes_port is not None:
            running = await kubernetes.start(port=given.kubernetes_port, clusters=shop.clusters(*_by_identity(roles)))
            life.push_async_callback(running.stop)
            urls["kubernetes"] = running.url
            if not given.healthy:
                running.play("prod", _SCENARIO)
            config = running.kubeconfig()
            environment["KUBECONFIG"] = _private(place / "kubeconfig", config)
            structure |= _clusters(list(running.clusters))
            if given.webhook:
                alerts = _alertmanager(running.url, config, given.webhook)
                alerts.start()
                life.push_async_callback(alerts.stop)
        if given.loki_port is not None:
            urls["loki"] = await _loki(life, given.loki_port, place, structure)
        if given.silences_port is not None:
            keeping = await silences.start(port=given.silences_port)
            life.push_async_callback(keeping.stop)
            urls["alertmanager"] = keeping.url
            if "clusters" in structure:
                structure["clusters"]["prod"]["alertmanager"] = {"url": keeping.url}
        if given.slack_port is not None:
            urls["slack"] = await _slack(life, given.slack_port, app, environment, alerts)
            structure |= {"channel": "C0INCIDENTS", "approvers": ["T0SHOP:U0LEE", "T0SHOP:U0PRIYA"]}
            if "clusters" in structure:
                structure |= {"logs": {"channels": {"C0INCIDENTS": [shop.NAMESPACE]}}}
        if given.messages_port is not None:
            model = await messages.start(port=given.messages_port)
            life.push_async_callback(model.stop)
            urls["messages"] = model.url
            environment |= {"ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_API_KEY": model.api_key}
        if given.github_port is not None:
            hub = await github.start(port=given.github_port)
            life.push_async_callback(hub.stop)
            urls["github"] = hub.url
            hub.webhooks.url, hub.webhooks.secret = given.github_webhook, secrets.token_hex(20)
            github_shop.build(hub.acts)
            environment |= _github(hub, place)
            if given.slack_port is not None:
                structure["github"] = {"channel": "C0INCIDENTS", "repositories": ["shop/*"]}
        whole = _own(given.config) | structure
        if structure:
            environment["SIGNOFF_CONFIG"] = _private(place / "signoff.yaml", whole)
        _print(environment, urls, lacking=[key for key in ("channel", "clusters") if key not in whole], given=given)
        await stopped.wait()


_ACTIONS = {"actions": "write", "contents": "write", "issues": "write", "pull_requests": "write"}


def _github(hub: github.GitHubSandbox, place: Path) -> dict[str, str]:
    key = place / "github-app.pem"
    key.touch(mode=0o600)
    key.write_text(hub.credentials.private_key)
    return {
        "GITHUB_APP_ID": str(hub.credentials.app_id),
        "GITHUB_APP_PRIVATE_KEY_FILE": str(key),
        "GITHUB_ACTIONS_TOKEN": hub.credentials.personal("signoff-actions", _ACTIONS),
        "GITHUB_WEBHOOK_SECRET": hub.webhooks.secret,
        "SIGNOFF_GITHUB_API_URL": hub.url,
    }


def _own(config: Path | None) -> dict[str, Any]:
    found = yaml.safe_load(config.read_text()) if config else {}
    if not isinstance(found, dict):
        raise click.ClickException(f"{config} is no configuration file: it has no keys.")
    return found


def _by_identity(roles: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    reader = [role for role in roles if role["metadata"]["name"] == "signoff-reader"]
    return reader, [role for role in roles if role["metadata"]["name"].startswith("signoff-runner")]


def _clusters(names: Sequence[str]) -> dict[str, Any]:
    identities = ("reader", "runner")
    contexts = {name: {each: {"context": f"{name}-{each}"} for each in identities} for name in names}
    return {"default_cluster": "prod", "namespaces": [shop.NAMESPACE], "clusters": contexts}


def _alertmanager(url: str, config: Mapping[str, Any], webhook: str) -> Alertmanager:
    token = next(user["user"]["token"] for user in config["users"] if user["name"] == "prod-reader")
    deployment = f"{url}/clusters/prod/apis/apps/v1/namespaces/{shop.NAMESPACE}/deployments/checkout"
    watched = Watched("prod", shop.NAMESPACE, "checkout", deployment, token)
    return Alertmanager(watched, webhook, os.environ.get("SIGNOFF_ALERTMANAGER_TOKEN", ""), clock=time.time)


async def _loki(life: contextlib.AsyncExitStack, port: int, place: Path, structure: dict[str, Any]) -> str:
    running = await loki.start(port=port, tenant="shop")
    life.push_async_callback(running.stop)
    token = place / "loki-token"
    token.touch(mode=0o600)
    token.write_text(running.token)
    if "clusters" in structure:
        structure["clusters"]["prod"]["loki"] = {
            "url": running.url,
            "token_file": str(token.absolute()),
            "tenant": running.tenant,
        }
    return running.url


def _private(path: Path, data: Any) -> str:
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return str(path)


async def _slack(
    life: contextlib.AsyncExitStack,
    port: int,
    app: Mapping[str, Any],
    environment: dict[str, str],
    alerts: Alertmanager | None,
) -> str:
    routes = [web.post("/sandbox/alert", alerts.fire)] if alerts else []
    running = await slack.start(port=port, manifest=app, extra_routes=routes)
    life.push_async_callback(running.stop)
    if alerts:
        running.set_story(_TEXT, [{"label": "Let the alert fire", "method": "POST", "path": "/sandbox/alert"}])
    environment |= {
        "SLACK_BOT_TOKEN": running.bot_token,
        "SLACK_APP_TOKEN": running.app_token,
        "SIGNOFF_SLACK_API_URL": running.api_url,
    }
    return running.url


def _signoff(*arguments: str) -> str:
    """Ask the bot's own command for what it says of itself: the stand-ins import nothing of it."""
    return subprocess.run(  # noqa: S603 - our own interpreter and words
        [sys.executable, "-m", "bot", *arguments], check=True, capture_output=True, text=True, timeout=60
    ).stdout


def _print(environment: Mapping[str, str], urls: Mapping[str, str], *, lacking: Sequence[str], given: Options) -> None:
    if given.as_json:
        click.echo(json.dumps({"environment": environment, "urls": urls}))
    else:
        for name, value in environment.items():
            click.echo(f"export {name}={shlex.quote(value)}")
        if "slack" in urls:
            click.echo(f"# the workspace: {urls['slack']}")
        if lacking and "SIGNOFF_CONFIG" in environment:
            click.echo(f"# SIGNOFF_CONFIG lacks {' and '.join(lacking)}: give your own file with --config.")
    sys.stdout.flush()
