"""A rate limit puts a row off until it is over, what it refuses is given up, and other errors are tried again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bot.clients.github import GitHubError, GitHubLimited
from bot.domain.github import RunEvent
from bot.jobs.asking_github import GONE, asked
from bot.store import ci, clock, work
from bot.store.database import Database
from bot.store.tables import ci_runs

RUN = RunEvent("shop/deploy", 55, 1, "Deploy", "", "a" * 40, "main", "failure", "u", (), True, 1000)


async def ask(database: Database, error: Exception | None) -> tuple[bool, str, int]:
    """Ask for a run and meet an error. Returns whether the story goes on, the row and its generation."""
    row_id, generation = database.write_now(lambda c: ci.accept(c, RUN))
    world: Any = SimpleNamespace(database=database)

    async def asking() -> None:
        if error is not None:
            raise error

    return await asked(world, "ci", row_id, generation, asking()), row_id, generation


async def test_an_answer_lets_the_story_go_on(database: Database) -> None:
    assert (await ask(database, None))[0]


@pytest.mark.parametrize("status", GONE)
async def test_what_is_gone_is_given_up(database: Database, status: int) -> None:
    goes_on, row_id, generation = await ask(database, GitHubError(status, "no"))
    assert not goes_on
    (row,) = database.read_now(lambda c: c.execute(ci_runs.select().where(ci_runs.c.id == row_id)).all())
    assert (row.done, row.given_up) == (generation, generation)


async def test_another_error_is_raised_for_the_engine_to_try_again(database: Database) -> None:
    with pytest.raises(GitHubError, match="500"):
        await ask(database, GitHubError(500, "boom"))


async def test_a_rate_limit_puts_the_row_off_until_it_is_over(database: Database) -> None:
    before = database.read_now(clock.now)
    goes_on, row_id, generation = await ask(database, GitHubLimited(403, "slow down", 90.0))
    assert not goes_on
    assert database.read_now(lambda c: work.wanted(c, "ci", row_id)) == generation + 1
    (due,) = database.read_now(lambda c: c.execute(ci_runs.select()).all())
    assert due.not_before >= before + 90_000_000
