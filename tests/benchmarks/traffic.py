"""Webhooks of a benchmark on their way: one, or many at their own moments whether or not the last was answered."""

from __future__ import annotations

import asyncio

import aiohttp

from tests.system.town import TOKEN, Town

HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


async def post(here: Town, body: bytes) -> None:
    """Deliver one webhook and insist on a 200."""
    async with here.session.post(f"{here.url}/webhooks/alertmanager", data=body, headers=HEADERS) as response:
        assert response.status == 200, await response.text()


async def open_loop(url: str, bodies: list[bytes], rate: float) -> tuple[list[float], int]:
    """Send `rate` bodies a second. Returns each one's seconds from its moment to its answer, and how many
    got no 200."""
    loop = asyncio.get_running_loop()
    began = loop.time() + 0.2
    latencies: list[float] = []
    wrong = 0

    async def send(index: int) -> None:
        nonlocal wrong
        moment = began + index / rate
        await asyncio.sleep(max(0.0, moment - loop.time()))
        async with session.post(url, data=bodies[index], headers=HEADERS) as response:
            await response.read()
            wrong += response.status != 200
        latencies.append(loop.time() - moment)

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as session:
        await asyncio.gather(*(send(index) for index in range(len(bodies))))
    return latencies, wrong
