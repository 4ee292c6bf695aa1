"""Who a plan names, read from Slack and the configuration: the approvers it needs, and who may break the glass."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from bot.approvals.needs import Needed
from bot.clients.slack_directory import SlackDirectory
from bot.domain.approval import Person
from bot.domain.policy import BREAK_GLASS, Group, Policy, UserGroup
from bot.jobs.people import FRESH, Bound, bound, electorate
from bot.redact import Redactor

TEAM = "T0SHOP"
LEE, DANA, SAM = (Person(TEAM, f"U0{name}") for name in ("LEE", "DANA", "SAM"))
POLICY = Policy(
    groups={"oncall": Group(frozenset({LEE}))},
    break_glass=Group(frozenset({DANA}), frozenset({UserGroup(TEAM, "S0GLASS")})),
)


@dataclass
class Workspace:
    """Slack's people and one group, which may be unreadable."""

    readable: bool = True

    async def users_info(self, *, user: str) -> Any:
        return {"user": {"id": user, "team_id": TEAM, "name": user.lower()}}

    async def usergroups_users_list(self, *, usergroup: str) -> Any:
        if not self.readable:
            raise ConnectionError("Slack is down")
        return {"users": [SAM.user_id]}


def world(*, readable: bool = True, policy: Policy = POLICY) -> Any:
    client: Any = Workspace(readable)
    rules = SimpleNamespace(policy=policy)
    return SimpleNamespace(directory=SlackDirectory(client), rules=rules, redactor=Redactor(()))


def needed(**changes: Any) -> Needed:
    takes = {"counts": {"oncall": 1}, "quorum": 1, "ttl_seconds": 600, "requester_may_approve": False}
    return Needed(**takes | {"break_glass": True} | changes)


async def named(found: Any) -> tuple[list[Person], list[Person]]:
    assert isinstance(found, Bound)
    [need] = found.needs
    return [each.person for each in need.members], [each.person for each in found.break_glass]


async def test_a_plan_names_its_approvers_and_apart_from_them_who_may_break_the_glass() -> None:
    assert await named(await bound(world(), needed())) == ([LEE], [DANA, SAM])
    assert await named(await bound(world(policy=Policy(POLICY.groups)), needed())) == ([LEE], [])


async def test_a_runbook_that_forbids_it_names_nobody() -> None:
    assert await named(await bound(world(), needed(break_glass=False))) == ([LEE], [])


async def test_an_emergency_list_that_cannot_be_read_is_who_is_listed_and_stops_no_request() -> None:
    assert await named(await bound(world(readable=False), needed())) == ([LEE], [DANA])
    group_only = Policy(POLICY.groups, break_glass=Group(user_groups=POLICY.break_glass.user_groups))
    assert await named(await bound(world(readable=False, policy=group_only), needed())) == ([LEE], [])


async def test_who_is_listed_counts_though_the_user_group_beside_them_cannot_be_read() -> None:
    mixed = Policy({"oncall": Group(frozenset({LEE}), frozenset({UserGroup(TEAM, "S0ONCALL")}))})
    assert await named(await bound(world(policy=mixed), needed())) == ([LEE, SAM], [])
    unreadable = world(readable=False, policy=mixed)
    assert await named(await bound(unreadable, needed())) == ([LEE], [])
    assert "cannot be asked who is in oncall" in str(await bound(unreadable, needed(counts={"oncall": 2})))
    people = await electorate(unreadable, {LEE}, {"oncall"}, 1, max_age=FRESH)
    assert (dict(people.groups), people.unread) == ({"oncall": {LEE}}, {"oncall"})
    nobody = world(readable=False, policy=Policy({"oncall": Group(user_groups=frozenset({UserGroup(TEAM, "S0X")}))}))
    assert "cannot be asked who is in oncall" in str(await bound(nobody, needed()))
    assert dict((await electorate(nobody, {LEE}, {"oncall"}, 1, max_age=FRESH)).groups) == {}


async def test_who_may_break_the_glass_is_read_like_a_group_and_is_none_of_the_approvers() -> None:
    read = await electorate(world(), {DANA}, {"oncall", BREAK_GLASS}, 1, max_age=FRESH)
    assert read.groups == {"oncall": {LEE}, BREAK_GLASS: {DANA, SAM}}
    unread = await electorate(world(readable=False), {DANA}, {"oncall", BREAK_GLASS}, 1, max_age=FRESH)
    assert (dict(unread.groups), unread.unread) == ({"oncall": {LEE}, BREAK_GLASS: {DANA}}, {BREAK_GLASS})
