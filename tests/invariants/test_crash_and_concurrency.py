"""Crash and concurrency: a seeded sample of what `make torture` does in full (`tests/system/torture.py`).

`SIGNOFF_TEST_SEED=7` takes another sample.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

from tests.postgres import PostgreSQL
from tests.system.torture import CROWD, tortured

SEED = os.environ.get("SIGNOFF_TEST_SEED", "1")
# A run has about thirty writes from the click to its result. The first is the click's own.
WRITES = range(2, 29)


def sample(what: str, size: int) -> list[str]:
    """So many writes to die at, before or after each."""
    chance = random.Random(f"{what}:{SEED}")
    return [f"{chance.choice(('before', 'after'))}:{number}" for number in chance.sample(WRITES, size)]


async def test_a_kill_between_the_click_and_the_result_leaves_a_run_that_ended_once_or_asks(tmp_path: Path) -> None:
    """L3: kill -9 at every persistence point; after a restart a run is not started, finished or UNKNOWN, and no call
    starts twice."""
    async with tortured(tmp_path, said=False) as torture:
        for order in sample("sqlite", 2):
            await torture.kill_at(order)
    seen = torture.figures
    assert seen.kills == seen.runs == 2
    assert seen.duplicates == seen.lost == seen.stuck == 0


async def test_of_three_processes_any_takes_any_click_and_what_one_leaves_for_ever_is_taken_up(
    postgres: PostgreSQL, tmp_path: Path
) -> None:
    """L2: k different approvers racing in m processes make exactly one start. L3 with three processes on PostgreSQL,
    where who was killed never comes back."""
    with postgres.fresh() as url:
        async with tortured(tmp_path, database=url, processes=3, crowd=True, said=False) as torture:
            await torture.press_at_once(CROWD)
            for order in sample("postgresql", 1):
                await torture.kill_at(order)
    seen = torture.figures
    assert (seen.kills, seen.runs) == (1, 2)
    assert seen.duplicates == seen.lost == seen.stuck == 0
