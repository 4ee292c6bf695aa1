from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from bot.sandbox.github import GitHubSandbox
from bot.sandbox.loopback import listen
from tests.sandbox.github.conftest import SHOP
from tests.waiting import wait_until


class Receiver:
    def __init__(self) -> None:
        self.got: list[tuple[Any, bytes]] = []
        self.status = 200
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((request.headers, await request.read()))
        return web.Response(status=self.status)


@pytest.fixture
async def receiver(hub: GitHubSandbox) -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    runner, port = await listen(app, "127.0.0.1", 0)
    hub.webhooks.url, hub.webhooks.secret = f"http://127.0.0.1:{port}/hook", "s3cret"
    yield made
    await runner.cleanup()


async def test_a_delivery_is_signed_over_its_raw_body(hub: GitHubSandbox, receiver: Receiver) -> None:
    hub.acts.create_repository(SHOP, {"a": "1\n"})
    hub.acts.push(SHOP, "change", {"a": "2\n"})
    hub.acts.open_pull(SHOP, "change")
    await wait_until(lambda: len(receiver.got) == 2)
    headers, body = receiver.got[1]
    assert headers["X-GitHub-Event"] == "pull_request"
    expected = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={expected}"


async def test_a_failed_delivery_is_not_sent_again_by_itself_and_keeps_its_id(
    hub: GitHubSandbox, receiver: Receiver
) -> None:
    receiver.status = 503
    hub.acts.create_repository(SHOP, {"a": "1\n"})
    hub.acts.push(SHOP, "change", {"a": "2\n"})
    first = hub.webhooks.deliveries[0]
    await wait_until(lambda: first.delivered)
    assert (first.status_code, len(receiver.got)) == (503, 1)
    receiver.status = 200
    again = hub.webhooks.redeliver(first.id)
    assert again is not None
    await wait_until(lambda: again.delivered)
    assert again.guid == first.guid
    assert receiver.got[0][1] == receiver.got[1][1]
