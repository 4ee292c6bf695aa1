"""Asking GitHub within a story: a rate limit puts the row off until it is over, and what it refuses is given up."""

from __future__ import annotations

from collections.abc import Awaitable

import structlog
from sqlalchemy import Connection

from bot.clients.github import GitHubError, GitHubLimited
from bot.jobs.world import World
from bot.store import clock, work

GONE = (301, 302, 303, 307, 308, 403, 404, 410, 422, 451)
"""Answers of GitHub that another attempt would not change."""

log = structlog.get_logger(__name__)


async def asked(world: World, kind: str, row_id: str, generation: int, asking: Awaitable[object]) -> bool:
    """Do the part of a story that asks GitHub. Returns False where the story ends here: its row was put off, or given
    up because it is gone or not for us. Other errors are raised, and the job is tried again."""
    try:
        await asking
    except GitHubLimited as limited:
        await postpone(world, kind, row_id, generation, limited)
        return False
    except GitHubError as error:
        if error.status not in GONE:
            raise
        log.warning("given up, because GitHub does not tell", kind=kind, row=row_id, why=str(error))
        await world.database.write(lambda connection: work.give_up(connection, kind, row_id, generation))
        return False
    return True


async def postpone(world: World, kind: str, row_id: str, generation: int, limited: GitHubLimited) -> None:
    """Accept a job's work anew for when GitHub's rate limit is over."""

    def later(connection: Connection) -> None:
        now = clock.advance(connection)
        if work.wanted(connection, kind, row_id) == generation:
            work.want(connection, kind, row_id, now=now + int(limited.retry_after * 1_000_000))

    log.info("waiting for GitHub's rate limit", kind=kind, row=row_id, seconds=round(limited.retry_after))
    await world.database.write(later)
