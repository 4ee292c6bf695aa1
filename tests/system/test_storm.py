"""What was answered 2xx in the middle of a storm is there after kill -9, and is worked on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from tests.benchmarks import storm
from tests.benchmarks.traffic import HEADERS
from tests.system.town import Town, town

WEBHOOKS = 60


async def test_every_answered_webhook_survives_kill_9(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await here.serve()
        answered = await storm_until_killed(here, WEBHOOKS, kill_after=WEBHOOKS // 2)
        assert WEBHOOKS // 2 <= len(answered) < WEBHOOKS
        await here.serve()
        await here.until(lambda: answered <= worked_on(here), "an incident for every answered webhook")


async def storm_until_killed(here: Town, count: int, *, kill_after: int) -> set[str]:
    """Send `count` groups at once and kill the bot when `kill_after` are answered. Returns which were answered 200."""
    answered: set[str] = set()

    async def send(group: int) -> None:
        try:
            url, body = f"{here.url}/webhooks/alertmanager", storm.body(group, 20, deployment="cart")
            async with here.session.post(url, data=body, headers=HEADERS) as response:
                if response.status == 200:
                    answered.add(f"{group:05}")
        except aiohttp.ClientError:
            return
        if len(answered) == kill_after:
            here.kill()

    await asyncio.gather(*(send(group) for group in range(count)))
    return answered


def worked_on(here: Town) -> set[str]:
    """The groups whose every alert is stored and belongs to an incident with nothing left to do."""
    query = (
        "SELECT json_extract(common_labels, '$.storm') FROM alert_groups "
        "JOIN incidents ON incidents.group_id = alert_groups.id "
        "WHERE alert_groups.done = alert_groups.wanted AND incidents.total = 20"
    )
    return {storm_id for (storm_id,) in here.rows(query)}
