"""The people a decision concerns, as Slack and the configuration have them at this moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from bot.approvals.needs import Needed
from bot.clients.slack_directory import Reading, SlackDirectory
from bot.domain.approval import Electorate, Member, Need, Person
from bot.domain.policy import BREAK_GLASS
from bot.jobs.world import Rules
from bot.redact import Redactor

FRESH = 0.0
"""Seconds that a reading of a group may be old where a run starts: it is read then."""
FOR_AN_APPROVAL = 10.0
FOR_A_DENIAL = 60.0
"""A denial is the safe direction, and must not be lost because Slack is slow."""

NAMES_READ = 20


@dataclass(frozen=True, slots=True)
class Roll:
    """Who is known to be in a group, whether that is everybody, and how old the oldest part of that is."""

    people: frozenset[Person]
    age_seconds: float
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Bound:
    """Who a plan names: those who must approve it, and those who may break the glass for it."""

    needs: tuple[Need, ...]
    break_glass: tuple[Member, ...] = ()


class Slack(Protocol):
    """What reading people takes of the world."""

    @property
    def directory(self) -> SlackDirectory:
        """Slack's people and user groups."""

    @property
    def rules(self) -> Rules:
        """Who is in which group."""

    @property
    def redactor(self) -> Redactor:
        """Names may hold anything."""


async def roll(world: Slack, name: str, *, max_age: float) -> Roll:
    """Read who is in a configured group. A group that is not configured (any more) has nobody in it, nor has a Slack
    user group that cannot be read; whom the configuration lists beside it is in it all the same."""
    group = world.rules.policy.group(name)
    if group is None:
        return Roll(frozenset(), 0.0)
    order = sorted(group.user_groups)
    found = await asyncio.gather(*(world.directory.members(each.group_id, max_age=max_age) for each in order))
    people = set(group.users)
    age = max((membership.age_seconds for membership in found), default=0.0)
    for each, membership in zip(order, found, strict=True):
        people |= {Person(each.team_id, user) for user in membership.value or ()}
    return Roll(frozenset(people), age, all(membership.value is not None for membership in found))


async def electorate(
    world: Slack, people: set[Person], groups: Iterable[str], now: int, *, max_age: float, channel: str = ""
) -> Electorate:
    """Read who is in each group at most ``max_age`` seconds ago, and at most ``FOR_AN_APPROVAL`` how each person stands
    and who shares ``channel`` ("" where nothing is approved). Who cannot be read is not known, and so may not vote; of
    a group that cannot be read as a whole are those who are listed."""
    young = min(max_age, FOR_AN_APPROVAL)
    order, names = sorted(people), sorted(groups)
    standings, rolls, shared = await asyncio.gather(
        asyncio.gather(*(world.directory.standing(person, max_age=young) for person in order)),
        asyncio.gather(*(roll(world, name, max_age=max_age) for name in names)),
        _shared(world, channel, max_age=young),
    )
    read = dict(zip(names, rolls, strict=True))
    ages = [shared.age_seconds, *(each.age_seconds for each in standings), *(each.age_seconds for each in rolls)]
    return Electorate(
        groups={name: each.people for name, each in read.items() if each.whole or each.people},
        standings={person: each.value for person, each in zip(order, standings, strict=True)},
        read_at=now,
        unread=frozenset(name for name, each in read.items() if not each.whole),
        age_ms=int(max(ages) * 1000),
        aliases=world.rules.policy.aliases,
        shared=shared.value,
    )


async def _shared(world: Slack, channel: str, *, max_age: float) -> Reading[bool | None]:
    return await world.directory.channel_is_shared(channel, max_age=max_age) if channel else Reading(None, 0.0)


async def bound(world: Slack, needed: Needed) -> Bound | str:
    """Return what is needed with the people who are in each group now, to be bound by a plan; or why that cannot be
    said. Of a group that cannot be read as a whole those who are listed are bound, if they are enough for it. That it
    cannot be read who may break the glass stops nothing: then only who is listed may."""
    found = []
    for name, count in needed.counts.items():
        read = await roll(world, name, max_age=FOR_AN_APPROVAL)
        if not read.whole and len(read.people) < count:
            return f"Slack cannot be asked who is in {name}, so nobody could approve it."
        found.append(Need(name, count, await _members(world, read.people)))
    breakers = (await roll(world, BREAK_GLASS, max_age=FOR_AN_APPROVAL)).people if needed.break_glass else frozenset()
    return Bound(tuple(found), await _members(world, breakers))


async def _members(world: Slack, people: frozenset[Person]) -> tuple[Member, ...]:
    """Names are decoration, so they are read for small groups only."""
    order = sorted(people)
    names = [person.user_id for person in order]
    if len(order) <= NAMES_READ:
        names = await asyncio.gather(*(world.directory.name(person.user_id) for person in order))
    return tuple(Member(person, world.redactor.text(called)) for person, called in zip(order, names, strict=True))
