"""Starts one local Slack on loopback: Web API, Socket Mode, response URLs, uploads, the page and its API."""

import asyncio
import random
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

from aiohttp import web

from bot.sandbox.loopback import listen
from bot.sandbox.slack import response_url, webapi
from bot.sandbox.slack.app_manifest import read_manifest
from bot.sandbox.slack.event_log import Bell, EventLog
from bot.sandbox.slack.local import LocalSlack, Story
from bot.sandbox.slack.page_api import PageApi, tell_refusals
from bot.sandbox.slack.rate_limits import RateLimits
from bot.sandbox.slack.safety import guard
from bot.sandbox.slack.socket_mode import SocketMode, Timings
from bot.sandbox.slack.tickets import ResponseUrls, Triggers
from bot.sandbox.slack.webapi.files import LARGEST_FILE, receive_upload
from bot.sandbox.slack.workspace import APP, Workspace, shop

_ASSETS = {
    "icon.svg": "image/svg+xml",
    "style.css": "text/css",
    **dict.fromkeys(
        ("app.js", "blocks.js", "dialogs.js", "dom.js", "emoji.js", "markdown.js", "mrkdwn.js"), "text/javascript"
    ),
}


class SlackSandbox:
    """A running local Slack. `url` is the page, `api_url` the base URL for the bot's Slack client."""

    def __init__(self, local: LocalSlack, runner: web.AppRunner, csrf: str) -> None:
        self._local = local
        self._runner = runner
        self.port = local.port
        self.csrf = csrf
        self.url = local.url
        self.api_url = f"{local.url}/api/"
        self.bot_token = local.bot_token
        self.app_token = local.app_token
        self.workspace = local.workspace

    def set_story(self, text: str, actions: Sequence[Mapping[str, str]] = ()) -> None:
        """Set the page's side strip: a text and buttons, each {label, href} or {label, method, path} on this origin."""
        for action in actions:
            target = action.get("href") or action.get("path") or ""
            if "label" not in action or not re.match(r"/(?![/\\])", target):
                raise ValueError(f"a story's action needs a label and a path on this origin: {dict(action)!r}")
        self._local.story = Story(text, [dict(action) for action in actions])
        self._local.bell.ring()

    async def stop(self) -> None:
        """Close all connections and free the port."""
        await self._local.socket.stop()
        self._local.bell.close()
        await self._runner.cleanup()


async def start(
    *,
    port: int,
    manifest: Mapping[str, Any],
    host: str = "127.0.0.1",
    workspace: Workspace | None = None,
    clock: Callable[[], float] = time.time,
    rng: random.Random | None = None,
    timings: Timings | None = None,
    rate_limit_scale: float = 1.0,
    bot_token: str | None = None,
    app_token: str | None = None,
    extra_routes: Iterable[web.AbstractRouteDef] = (),
) -> SlackSandbox:
    """Start a local Slack on `host`:`port` (0 takes a free port) for the app that `manifest` describes.

    `clock` (seconds since the epoch) drives timestamps, rate limits, triggers and response URLs; `timings` holds
    Slack's deadlines. Tokens are made up unless given, and must begin with xoxb-local- and xapp-local-.
    `extra_routes` are served beside the page behind the same checks. Raises ValueError for a host that is not loopback
    or a token that could be real, BadManifest for a manifest that cannot be played, OSError when the port is taken.
    """
    app = read_manifest(manifest)
    rng = rng or random.SystemRandom()
    timings = timings or Timings()
    bell = Bell()
    log = EventLog(clock, bell.ring)
    local = LocalSlack(
        app=app,
        workspace=workspace or shop(clock, rng, app.bot_name),
        clock=clock,
        rng=rng,
        bell=bell,
        log=log,
        limits=RateLimits(clock, rate_limit_scale),
        triggers=Triggers(clock, rng, timings.trigger),
        response_urls=ResponseUrls(clock, rng, timings.response_url, timings.response_url_uses),
        socket=SocketMode(APP, clock, rng, log, timings),
        bot_token=_local_token("xoxb-local-", bot_token),
        app_token=_local_token("xapp-local-", app_token),
    )
    csrf = secrets.token_urlsafe(24)
    server = web.Application(middlewares=[guard(local, csrf), tell_refusals], client_max_size=LARGEST_FILE + 1_000_000)
    server.add_routes([*_slack_routes(local), *PageApi(local, csrf).routes(), *_page_routes(), *extra_routes])
    runner, local.port = await listen(server, host, port)
    local.url = f"http://{f'[{host}]' if ':' in host else host}:{local.port}"
    return SlackSandbox(local, runner, csrf)


def _local_token(prefix: str, given: str | None) -> str:
    if given is None:
        return prefix + secrets.token_hex(12)
    if not given.startswith(prefix):
        raise ValueError(f"the local workspace takes only tokens that begin with {prefix}: never a real one")
    return given


def _slack_routes(local: LocalSlack) -> list[web.RouteDef]:
    async def call(request: web.Request) -> web.StreamResponse:
        return await webapi.answer(local, request)

    async def respond(request: web.Request) -> web.StreamResponse:
        return await response_url.answer(local, request)

    async def upload(request: web.Request) -> web.StreamResponse:
        return await receive_upload(local, request)

    return [
        web.get("/api/{method}", call),
        web.post("/api/{method}", call),
        web.post("/actions/{key}", respond),
        web.post("/commands/{key}", respond),
        web.post("/upload/{file}", upload),
        web.get("/link/", local.socket.handle),
    ]


def _page_routes() -> list[web.RouteDef]:
    folder = resources.files("bot.sandbox.slack") / "page"

    def serve(name: str, kind: str) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.Response:
            text = await asyncio.to_thread((folder / name).read_text, "utf-8")
            return web.Response(text=text, content_type=kind)

        return handler

    page = serve("index.html", "text/html")
    return [
        web.get("/", page),
        web.get("/archives/{channel}/{message}", page),
        *(web.get(f"/page/{name}", serve(name, kind)) for name, kind in _ASSETS.items()),
    ]
