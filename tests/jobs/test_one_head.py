"""What is read of a pull request belongs together, whoever pushes meanwhile."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from bot.clients.github import Credential, GitHub
from bot.clients.github_repository import GitHubRepository
from bot.jobs.one_head import TRIES, AtHead, HeadMoves, at_one_head
from bot.sandbox.github import GitHubSandbox, start
from bot.sandbox.github.server import Fault
from tests.waiting import wait_until

SHOP = "shop/deploy"


@pytest.fixture
async def hub() -> AsyncIterator[GitHubSandbox]:
    running = await start(port=0)
    running.acts.create_repository(SHOP, {"a.txt": "1\n2\n3\n"})
    running.acts.push(SHOP, "change", {"a.txt": "1\ntwo\n3\n"}, message="two")
    running.acts.open_pull(SHOP, "change")
    yield running
    await running.stop()


@pytest.fixture
async def shop(hub: GitHubSandbox) -> AsyncIterator[GitHubRepository]:
    credential = Credential(app_id=str(hub.credentials.app_id), private_key=hub.credentials.private_key)
    client = GitHub(credential, base_url=hub.url)
    yield GitHubRepository(client, SHOP)
    await client.close()


async def pushed_while_it_is_read(hub: GitHubSandbox, shop: GitHubRepository, *, path: str, pushes: int) -> AtHead:
    """Read pull request 1, of which ``path`` is answered only once somebody has pushed; so often."""
    told = await shop.pull(1)
    hub.faults += [Fault("delay", "GET", re.compile(path), value=0.2) for _ in range(pushes)]
    reading = asyncio.create_task(at_one_head(shop, told))
    for number, fault in enumerate(list(hub.faults)):
        await wait_until(lambda fault=fault: fault.times == 0 or reading.done())
        hub.acts.push(SHOP, "change", {"a.txt": f"1\npush {number}\n3\n"}, message=f"push {number}")
    return await reading


async def test_what_nobody_pushes_to_is_read_once(shop: GitHubRepository) -> None:
    told = await shop.pull(1)
    seen = await at_one_head(shop, told)
    assert (seen.told, seen.notes) == (told, ())
    assert [line.text for line in seen.patch.files[0].hunks[0].lines() if line.sign == "+"] == ["two"]


@pytest.mark.parametrize("path", ["/pulls/1/files$", "/pulls/1/commits$"])
async def test_a_push_between_the_head_and_its_files_is_seen_whole(
    hub: GitHubSandbox, shop: GitHubRepository, path: str
) -> None:
    seen = await pushed_while_it_is_read(hub, shop, path=path, pushes=1)
    assert seen.told["head"]["sha"] == hub.hub.pull(hub.hub.repository(SHOP), "1").head_sha
    assert [line.text for line in seen.patch.files[0].hunks[0].lines() if line.sign == "+"] == ["push 0"]
    assert [one["commit"]["message"] for one in seen.commits] == ["two", "push 0"]


async def test_what_never_stands_still_is_left_for_later(hub: GitHubSandbox, shop: GitHubRepository) -> None:
    with pytest.raises(HeadMoves, match="pushed to faster"):
        await pushed_while_it_is_read(hub, shop, path="/pulls/1/files$", pushes=TRIES)
