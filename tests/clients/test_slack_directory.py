import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.clients.slack import close, open_client
from bot.clients.slack_directory import NAMES_KEPT_S, SlackDirectory
from bot.domain.approval import Person
from tests.chat.workspace import DANA, GONE, GUEST, INCIDENTS, LEE, PRIYA, STRANGER, LocalSlack, local_slack


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with local_slack() as running:
        yield running


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def client(slack: LocalSlack) -> AsyncIterator[Any]:
    opened = open_client(slack.sandbox.bot_token, base_url=slack.sandbox.api_url, timeout=15)
    yield opened
    await close(opened)


def person(user_id: str, team_id: str = "T0SHOP") -> Person:
    return Person(team_id, user_id)


async def test_a_member_stands_without_any_mark(client: Any) -> None:
    lee = (await SlackDirectory(client).standing(person(LEE), max_age=0)).value
    assert lee.known
    assert (lee.is_bot, lee.is_guest, lee.is_deactivated, lee.is_foreign) == (False, False, False, False)
    assert "lee" in lee.name.lower()


@pytest.mark.parametrize(
    ("who", "mark"),
    [(GUEST, "is_guest"), (GONE, "is_deactivated"), (STRANGER, "is_foreign"), ("U0SIGNOFF", "is_bot")],
)
async def test_guests_bots_strangers_and_those_who_left_are_marked(client: Any, who: str, mark: str) -> None:
    found = (await SlackDirectory(client).standing(person(who), max_age=0)).value
    assert found.known
    assert getattr(found, mark)


async def test_an_id_that_is_claimed_for_another_workspace_is_foreign(client: Any) -> None:
    directory = SlackDirectory(client)
    assert not (await directory.standing(person(LEE), max_age=0)).value.is_foreign
    assert (await directory.standing(person(LEE, "T0OTHER"), max_age=10)).value.is_foreign


async def test_whoever_cannot_be_read_is_not_known(client: Any, slack: LocalSlack) -> None:
    directory = SlackDirectory(client)
    assert not (await directory.standing(person("U0NOBODY"), max_age=0)).value.known
    for switches in ({"fail_next": {"users.info": 1}}, {"rate_limited_next": {"users.info": 1}}):
        await slack.switch(**switches)
        assert not (await directory.standing(person(LEE), max_age=0)).value.known
    assert (await directory.standing(person(LEE), max_age=0)).value.known


async def test_a_standing_is_at_most_as_old_as_it_may_be(client: Any, slack: LocalSlack) -> None:
    clock = Clock()
    directory = SlackDirectory(client, monotonic=clock)
    assert not (await directory.standing(person(DANA), max_age=10)).value.is_deactivated
    slack.sandbox.workspace.users[DANA].deleted = True
    clock.now = 10.0
    old = await directory.standing(person(DANA), max_age=10)
    assert (old.value.is_deactivated, old.age_seconds) == (False, 10.0)
    assert (await directory.standing(person(DANA), max_age=0)).value.is_deactivated


async def test_what_many_ask_together_is_asked_of_slack_once(client: Any, slack: LocalSlack) -> None:
    """Fifty people press a button at once: Slack allows fifty questions about channels a minute."""
    directory = SlackDirectory(client)
    await asyncio.gather(*(directory.channel_is_shared(INCIDENTS, max_age=10) for _ in range(50)))
    await asyncio.gather(*(directory.standing(person(LEE), max_age=10) for _ in range(50)))
    await asyncio.gather(*(directory.name(LEE) for _ in range(50)))
    assert len(await slack.calls("conversations.info")) == 1
    assert len(await slack.calls("users.info")) == 1


async def test_who_is_in_a_group_is_read_once_for_all_who_ask_together(client: Any, slack: LocalSlack) -> None:
    directory = SlackDirectory(client)
    found = await asyncio.gather(*(directory.members("S0ONCALL", max_age=10) for _ in range(50)))
    assert {each.value for each in found} == {frozenset({LEE, PRIYA})}
    assert len(await slack.calls("usergroups.users.list")) == 1


async def test_a_reading_serves_for_as_long_as_it_may_be_old(client: Any, slack: LocalSlack) -> None:
    clock = Clock()
    directory = SlackDirectory(client, monotonic=clock)
    await directory.members("S0ONCALL", max_age=10)
    await slack.switch(usergroup={"group": "S0ONCALL", "users": [DANA]})
    clock.now = 10.0
    old = await directory.members("S0ONCALL", max_age=10)
    assert (old.value, old.age_seconds) == (frozenset({LEE, PRIYA}), 10.0)
    clock.now = 10.1
    assert (await directory.members("S0ONCALL", max_age=10)).value == frozenset({DANA})
    await slack.switch(usergroup={"group": "S0ONCALL", "users": []})
    clock.now = 10.2
    assert (await directory.members("S0ONCALL", max_age=60)).value == frozenset({DANA})
    assert (await directory.members("S0ONCALL", max_age=0)).value == frozenset()


async def test_a_group_that_cannot_be_read_is_not_an_empty_one_and_is_asked_anew(
    client: Any, slack: LocalSlack
) -> None:
    directory = SlackDirectory(client)
    assert (await directory.members("S0NOWHERE", max_age=10)).value is None
    for switches in ({"fail_next": {"usergroups.users.list": 1}}, {"plan_upgrade_required": True}):
        await slack.switch(**switches)
        assert (await directory.members("S0ONCALL", max_age=10)).value is None
    await slack.switch(plan_upgrade_required=False)
    assert (await directory.members("S0ONCALL", max_age=10)).value == frozenset({LEE, PRIYA})


async def test_names_are_kept_for_a_while_and_survive_an_outage(client: Any, slack: LocalSlack) -> None:
    clock = Clock()
    directory = SlackDirectory(client, monotonic=clock)
    name = await directory.name(LEE)
    await slack.switch(fail_next={"users.info": 2})
    assert await directory.name(LEE) == name
    clock.now = NAMES_KEPT_S + 1
    assert await directory.name(LEE) == name
    assert await directory.name("U0NOBODY") == "U0NOBODY"


async def test_a_channel_with_strangers_is_shared_and_one_that_cannot_be_read_is_not_known(
    client: Any, slack: LocalSlack
) -> None:
    directory = SlackDirectory(client)
    assert (await directory.channel_is_shared(INCIDENTS, max_age=0)).value is False
    await slack.switch(invite={"channel": INCIDENTS, "user": STRANGER})
    assert (await directory.channel_is_shared(INCIDENTS, max_age=0)).value is True
    assert (await directory.channel_is_shared("C0NOWHERE", max_age=0)).value is None
