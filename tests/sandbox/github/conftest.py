"""A stand-in that runs, and a way to ask it as an installation of the app does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.github import GitHubSandbox, start
from bot.sandbox.github.hub import Pull

SHOP = "shop/deploy"
BEFORE = "".join(f"line {n}\n" for n in range(1, 41))
AFTER = BEFORE.replace("line 5\n", "line five\n").replace("line 30\n", "")


class Asking:
    """Asks the stand-in as an installation (or with another token)."""

    def __init__(self, hub: GitHubSandbox, session: aiohttp.ClientSession) -> None:
        self.hub, self.session = hub, session
        self.token = hub.credentials.install({}).token

    async def __call__(
        self, method: str, path: str, body: Any = None, *, accept: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        sent = {"Authorization": f"Bearer {self.token}", "User-Agent": "test", "Accept": accept, **(headers or {})}
        url = f"{self.hub.url}{path}"
        async with self.session.request(method, url, json=body, headers=sent, allow_redirects=False) as answer:
            self.headers = answer.headers
            text = await answer.text()
            return answer.status, (await answer.json(content_type=None) if text[:1] in "{[" and text else text)


@pytest.fixture
async def hub() -> AsyncIterator[GitHubSandbox]:
    running = await start(port=0)
    yield running
    await running.stop()


@pytest.fixture
async def ask(hub: GitHubSandbox) -> AsyncIterator[Asking]:
    async with aiohttp.ClientSession() as session:
        yield Asking(hub, session)


@pytest.fixture
def pull(hub: GitHubSandbox) -> Pull:
    """A pull request that changes line 5 and removes line 30 of app.txt, and adds new.txt."""
    hub.acts.create_repository(SHOP, {"app.txt": BEFORE, "old.txt": "x\n"}, people={"lee": "write"})
    hub.acts.push(SHOP, "change", {"app.txt": AFTER, "new.txt": "one\ntwo\n"})
    return hub.acts.open_pull(SHOP, "change", user="dana")
