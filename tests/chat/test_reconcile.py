"""Against the local Slack: what was posted is found again, and only what was posted."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.chat import reconcile
from bot.clients.slack import close, open_client
from tests.chat.test_dispatch import message
from tests.chat.workspace import GENERAL, INCIDENTS, LocalSlack


@pytest.fixture
async def client(slack: LocalSlack) -> AsyncIterator[AsyncWebClient]:
    await slack.switch(rate_limit_scale=0)
    opened = open_client(slack.sandbox.bot_token, base_url=slack.sandbox.api_url)
    yield opened
    await close(opened)


ASKED = replace(message("card", channel=INCIDENTS), created_at=int(time.time() * 1_000_000))


async def posted(client: AsyncWebClient, text: str, **more: Any) -> str:
    return str((await client.chat_postMessage(channel=INCIDENTS, text=text, **more))["ts"])


async def test_a_post_is_found_with_the_generation_it_showed(client: AsyncWebClient) -> None:
    ts = await posted(client, "x", metadata=reconcile.metadata(ASKED, 3))
    assert await reconcile.look_up(client, ASKED) == reconcile.Found(ts, INCIDENTS, 3)


async def test_it_is_found_behind_many_others(client: AsyncWebClient) -> None:
    ts = await posted(client, "x", metadata=reconcile.metadata(ASKED, 1))
    for number in range(250):
        await posted(client, f"later {number}")
    found = await reconcile.look_up(client, ASKED)
    assert found is not None
    assert found.ts == ts


async def test_a_message_of_another_row_or_without_metadata_is_not_ours(client: AsyncWebClient) -> None:
    await posted(client, "x")
    await posted(client, "x", metadata=reconcile.metadata(replace(ASKED, id="other"), 1))
    await posted(client, "x", metadata={"event_type": "other", "event_payload": {"id": ASKED.id}})
    assert await reconcile.look_up(client, ASKED) is None


async def test_a_reply_is_looked_for_in_its_thread(client: AsyncWebClient) -> None:
    parent = await posted(client, "above")
    reply = replace(ASKED, parent_ts=parent, parent_channel=INCIDENTS)
    assert await reconcile.look_up(client, reply) is None
    ts = await posted(client, "below", thread_ts=parent, metadata=reconcile.metadata(reply, 1))
    assert await reconcile.look_up(client, reply) == reconcile.Found(ts, INCIDENTS, 1)


async def test_what_was_posted_long_before_it_was_asked_for_cannot_be_it(client: AsyncWebClient) -> None:
    await posted(client, "x", metadata=reconcile.metadata(ASKED, 1))
    tomorrow = replace(ASKED, created_at=ASKED.created_at + 86_400_000_000)
    assert await reconcile.look_up(client, tomorrow) is None


async def test_a_channel_that_may_not_be_read_is_an_error_not_an_absence(client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError):
        await reconcile.look_up(client, replace(ASKED, channel=GENERAL))


async def test_more_than_can_be_searched_proves_nothing(client: AsyncWebClient, slack: LocalSlack) -> None:
    channel = slack.sandbox.workspace.channels[INCIDENTS]
    ts = await posted(client, "one")
    for number in range(2_100):
        at = f"{float(ts) + 1 + number / 100:.6f}"
        channel.messages[at] = replace(channel.messages[ts], ts=at)
    with pytest.raises(reconcile.LookupImpossible):
        await reconcile.look_up(client, ASKED)
