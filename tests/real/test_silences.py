"""A real Alertmanager is asked what `tests/clients/test_alertmanager.py` asks the stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from bot.clients.alertmanager import Alertmanager
from tests.clients.test_alertmanager import (
    test_a_silence_from_its_making_to_its_end,
    test_what_is_not_there,
    test_what_it_refuses_was_certainly_not_done,
)
from tests.real.alertmanagers import alert, alertmanagers
from tests.waiting import wait_until

__all__ = [
    "test_a_silence_from_its_making_to_its_end",
    "test_what_is_not_there",
    "test_what_it_refuses_was_certainly_not_done",
]


@pytest.fixture
async def alertmanager(installed: Callable[[str], str], tmp_path: Path) -> AsyncIterator[Alertmanager]:
    binary = installed("prometheus-alertmanager")
    async with (
        aiohttp.ClientSession() as session,
        alertmanagers(binary, tmp_path / "real", "http://127.0.0.1:1/", session) as made,
    ):
        one = await made.start()
        await one.post(alert("Shop", namespace="shop", note='a "quoted" \\ name'))
        client = Alertmanager(one.url, cluster="prod")
        yield client
        await client.close()


async def test_alerts_that_fire_are_found_by_exact_matchers(alertmanager: Alertmanager) -> None:
    async def found() -> bool:
        return len(await alertmanager.alerts(('namespace="shop"', 'note="a \\"quoted\\" \\\\ name"'))) == 1

    await wait_until(found, 10, "the alert to be told")
    assert await alertmanager.alerts(('namespace="sho"',)) == []
