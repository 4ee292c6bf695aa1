"""A running local Slack with a clock that tests move, the real SDK as its client, and people who act."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import SlackSandbox, Timings, start

SCOPES = [
    *("app_mentions:read", "channels:history", "channels:read", "chat:write", "commands", "files:write"),
    *("groups:read", "im:history", "im:read", "im:write", "reactions:read", "reactions:write"),
    *("usergroups:read", "users:read", "users:read.email"),
]
EVENTS = ["app_home_opened", "app_mention", "message.im", "reaction_added"]


def manifest(
    *,
    scopes: Sequence[str] = SCOPES,
    events: Sequence[str] = EVENTS,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """A Slack app manifest as the bot has one, with the parts that a test changes."""
    return {
        "display_information": {"name": "Signoff"},
        "features": {
            "bot_user": {"display_name": "Signoff"},
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
            "slash_commands": [{"command": "/ops", "description": "Operations", "should_escape": True}],
            "shortcuts": [
                {"name": "Triage this message", "callback_id": "triage", "type": "message"},
                {"name": "New incident", "callback_id": "new", "type": "global"},
            ],
        },
        "oauth_config": {"scopes": {"bot": list(scopes)}},
        "settings": {
            "socket_mode_enabled": True,
            "interactivity": {"is_enabled": True},
            "event_subscriptions": {"bot_events": list(events)},
            **settings,
        },
    }


@dataclass
class Clock:
    """Seconds since the epoch, standing still until a test moves it."""

    now: float = 1_795_255_200.0

    def __call__(self) -> float:
        return self.now


@dataclass
class LocalWorkspace:
    """The sandbox under test and what tests do with it."""

    sandbox: SlackSandbox
    http: aiohttp.ClientSession
    clock: Clock
    client: AsyncWebClient
    closers: AsyncExitStack = field(repr=False)

    async def get(self, path: str, **query: str) -> Any:
        """The JSON of a page endpoint."""
        async with self.http.get(self.sandbox.url + path, params=query) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def post(self, act: str, body: Any, *, status: int = 200) -> dict[str, Any]:
        """The JSON of an act or of the switches."""
        headers = {"X-Sandbox-Token": self.sandbox.csrf}
        async with self.http.post(f"{self.sandbox.url}/sandbox/{act}", json=body, headers=headers) as response:
            answer = await response.json()
            assert response.status == status, answer
            assert isinstance(answer, dict)
            return answer

    async def act(self, act: str, user: str = "U0LEE", *, status: int = 200, **body: Any) -> dict[str, Any]:
        """One act of a person."""
        return await self.post(act, {"user": user, **body}, status=status)

    async def switch(self, **switches: Any) -> None:
        """Turn switches."""
        await self.post("switches", switches)

    async def messages(self, channel: str = "C0INCIDENTS", user: str = "U0LEE") -> list[dict[str, Any]]:
        """What a person sees in a channel."""
        return list((await self.get(f"/sandbox/channels/{channel}/messages", user=user))["messages"])

    async def titles(self, *, level: str | None = None) -> list[str]:
        """The lines of the event log."""
        entries = (await self.get("/sandbox/log"))["entries"]
        return [entry["title"] for entry in entries if level in (None, entry["level"])]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds, at most five seconds."""
        async with asyncio.timeout(5):
            while True:
                if condition():
                    return
                await asyncio.sleep(0.005)

    async def until_logged(self, *any_of: str) -> None:
        """Wait until the event log has a line with one of these words in it, at most five seconds."""
        async with asyncio.timeout(5):
            while True:
                revision = (await self.get("/sandbox/state", user="U0LEE"))["revision"]
                if any(words in title for title in await self.titles() for words in any_of):
                    return
                await self.get("/sandbox/changes", since=str(revision))

    async def post_card(self, *elements: dict[str, Any], **more: Any) -> str:
        """Post a card with these elements in one actions block; its timestamp."""
        blocks = [{"type": "actions", "block_id": "row", "elements": list(elements)}]
        answer = await self.client.chat_postMessage(channel="C0INCIDENTS", text="card", blocks=blocks, **more)
        return str(answer["ts"])

    async def run(self, app: AsyncApp) -> AsyncSocketModeHandler:
        """Connect a Bolt app until the end of the test."""
        handler = AsyncSocketModeHandler(app, self.sandbox.app_token)
        await handler.connect_async()
        self.closers.push_async_callback(handler.close_async)
        return handler

    async def refusal(self, call: Awaitable[Any]) -> dict[str, Any]:
        """The refusal that Slack's SDK raises for this call."""
        with pytest.raises(SlackApiError) as raised:
            await call
        data = raised.value.response.data
        assert isinstance(data, dict)
        return data

    def app(self) -> AsyncApp:
        """A Bolt app whose client talks to the sandbox."""
        return AsyncApp(client=AsyncWebClient(self.sandbox.bot_token, base_url=self.sandbox.api_url))


Start = Callable[..., Awaitable[LocalWorkspace]]


@asynccontextmanager
async def _workspace(**options: Any) -> AsyncIterator[LocalWorkspace]:
    clock = options.pop("clock", Clock())
    shape = {name: options.pop(name) for name in ("scopes", "events", "settings") if name in options}
    options = {"port": 0, "manifest": manifest(**shape), "rate_limit_scale": 0, "clock": clock, **options}
    async with AsyncExitStack() as closers, aiohttp.ClientSession() as http:
        sandbox = await start(**options)
        closers.push_async_callback(sandbox.stop)
        client = AsyncWebClient(sandbox.bot_token, base_url=sandbox.api_url)
        yield LocalWorkspace(sandbox, http, clock, client, closers)


@pytest.fixture
async def slack() -> AsyncIterator[LocalWorkspace]:
    """A local workspace without rate limits, whose retries come soon."""
    async with _workspace(timings=Timings(event_retries=(0.0, 0.05, 0.05), refresh_grace=0.1)) as workspace:
        yield workspace


@pytest.fixture
async def impatient() -> AsyncIterator[LocalWorkspace]:
    """A local workspace that waits for an acknowledgement only half a second, for tests in which none comes."""
    async with _workspace(timings=Timings(ack=0.5, event_retries=(0.0, 0.05, 0.05))) as workspace:
        yield workspace


@pytest.fixture
async def start_slack() -> AsyncIterator[Start]:
    """Starts a local workspace with other options."""
    async with AsyncExitStack() as stack:

        async def starter(**options: Any) -> LocalWorkspace:
            return await stack.enter_async_context(_workspace(**options))

        yield starter
