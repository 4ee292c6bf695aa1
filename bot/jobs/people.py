"""The people a decision concerns, as Slack has them at this moment."""

from __future__ import annotations

import asyncio

from bot.domain.approval import Electorate, Person
from bot.jobs.world import World


async def electorate(world: World, people: set[Person], now: int) -> Electorate:
    """Read how each person stands. Who cannot be read is not known, and so may not vote."""
    order = sorted(people)
    found = await asyncio.gather(*(world.directory.standing(person) for person in order))
    return Electorate(listed=world.rules.approvers, standings=dict(zip(order, found, strict=True)), read_at=now)
