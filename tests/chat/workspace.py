"""A local Slack for a test, started with Signoff's own manifest and used by people through its JSON API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bot.chat.manifest import manifest
from bot.sandbox.slack import SlackSandbox, start

INCIDENTS = "C0INCIDENTS"
DEPLOYS = "C0DEPLOYS"
GENERAL = "C0GENERAL"
LEE, PRIYA, DANA, GUEST, GONE, STRANGER = "U0LEE", "U0PRIYA", "U0DANA", "U0GUEST", "U0GONE", "U0EXT"


class LocalSlack:
    """The running sandbox, and what a person can see and do in it."""

    def __init__(self, sandbox: SlackSandbox, http: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.http = http

    async def read(self, path: str, **query: str) -> dict[str, Any]:
        async with self.http.get(f"{self.sandbox.url}/sandbox/{path}", params=query) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def act(self, what: str, **body: Any) -> dict[str, Any]:
        headers = {"X-Sandbox-Token": self.sandbox.csrf}
        async with self.http.post(f"{self.sandbox.url}/sandbox/{what}", json=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def switch(self, **switches: Any) -> None:
        await self.act("switches", **switches)

    async def messages(self, channel: str = INCIDENTS, *, user: str = LEE) -> list[dict[str, Any]]:
        """The bot's messages of a channel, oldest first, replies under `replies`."""
        read = (await self.read(f"channels/{channel}/messages", user=user))["messages"]
        return [message for message in read if message.get("bot_id")]

    async def calls(self, method: str) -> list[dict[str, Any]]:
        """The Web API calls of a method that the sandbox has seen."""
        entries = (await self.read("log", since="0"))["entries"]
        return [entry for entry in entries if entry.get("kind") == "api" and method in str(entry)]


@asynccontextmanager
async def local_slack(**options: Any) -> AsyncIterator[LocalSlack]:
    """Start one; `options` are the sandbox's own. Rate limits are Slack's unless `rate_limit_scale` says otherwise."""
    sandbox = await start(manifest=manifest(), **{"port": 0, **options})
    try:
        async with aiohttp.ClientSession() as http:
            yield LocalSlack(sandbox, http)
    finally:
        await sandbox.stop()


async def until(condition: Callable[[], Awaitable[Any]], *, seconds: float = 10.0) -> Any:
    """Wait until a condition gives something true, at most `seconds`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        value = await condition()
        if value:
            return value
        assert loop.time() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.02)
