"""kill -9 at every write: whatever the instant, nothing is lost, nothing runs twice, and every run ends or asks.

`SIGNOFF_TEST_CRASHES=all` tries every commit of the story (minutes); by default a spread of them is tried.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from bot.sandbox.story import StoryBroken
from tests.system.town import LEE, Town, checkout_alert, quick_runbooks, town

COMMITS = 72  # the story makes about this many; a number beyond its end kills nothing, which is checked too
SPREAD = (1, 4, 9, 16, 25, 38, 58)
ALL = os.environ.get("SIGNOFF_TEST_CRASHES") == "all"
POINTS = [(when, n) for n in (range(1, COMMITS + 1) if ALL else SPREAD) for when in ("before", "after")]
if not ALL:
    POINTS = [(when, n) for index, n in enumerate(SPREAD) for when in [("before", "after")[index % 2]]]


@pytest.mark.parametrize(("when", "number"), POINTS, ids=[f"{when}-{number}" for when, number in POINTS])
async def test_a_kill_at_any_write_is_harmless(tmp_path: Path, when: str, number: int) -> None:
    armed = tmp_path / "armed"
    async with town(tmp_path, runbooks=quick_runbooks(tmp_path / "runbooks")) as here:
        await here.serve(killed_at=f"{when}:{number}", SIGNOFF_TEST_ARMED=str(armed))
        watching = asyncio.create_task(restart_when_it_dies(here))
        armed.touch()
        try:
            await here.until(lambda: delivered(here), "the alert to be answered 2xx")
            await approve(here)
            final = await here.until(lambda: run_is_over(here), "the run to end or to ask")
            assert await here.until(here.settled, "everything to be said")
        finally:
            watching.cancel()
        writes = await here.writes()
        if final == "succeeded":
            assert len(writes) == 1
        else:
            assert final == "unknown", f"the run ended as {final}"
            assert len(writes) <= 1
        assert await here.count(r"^INC-1 ") == 1
        assert await here.count(r"^A-1 (needs|is|approved|ran|—|·|:)?") >= 1
        assert here.rows("SELECT count(*) FROM incidents") == [(1,)]
        assert here.rows("SELECT count(*) FROM approvals WHERE state = 'pending'") == [(0,)]
        assert here.rows("SELECT count(*) FROM runs") == [(1,)]
        assert here.audit_holds()


async def test_the_kills_really_happen(tmp_path: Path) -> None:
    armed = tmp_path / "armed"
    async with town(tmp_path) as here:
        await here.serve(killed_at="before:1", SIGNOFF_TEST_ARMED=str(armed))
        armed.touch()
        assert await here.alert(checkout_alert()) == 0
        await here.died()


async def delivered(here: Town) -> bool:
    return await here.alert(checkout_alert()) == 200


async def approve(here: Town) -> None:
    """Click until the click was stored, as a person does who sees nothing happen."""
    while not here.rows("SELECT 1 FROM votes"):
        request = await here.request()
        with contextlib.suppress(StoryBroken):
            await here.page.click(LEE, request, "Approve", stale=True)


async def run_is_over(here: Town) -> str | None:
    over = here.rows("SELECT state FROM runs WHERE state NOT IN ('starting', 'running', 'verifying')")
    return str(over[0][0]) if over else None


async def restart_when_it_dies(here: Town) -> None:
    await here.died()
    await here.serve(ready=False)
