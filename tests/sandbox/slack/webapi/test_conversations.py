"""Channels, members and history, as far as the bot may see them."""

from typing import Any

import pytest


async def say(slack: Any, text: str, **more: Any) -> str:
    return str((await slack.client.chat_postMessage(channel="C0INCIDENTS", text=text, **more))["ts"])


async def test_the_list_has_public_channels_and_says_where_the_bot_is(slack: Any) -> None:
    channels = (await slack.client.conversations_list())["channels"]
    assert {c["name"]: c["is_member"] for c in channels} == {
        "incidents": True,
        "deploys": True,
        "general": False,
        "partners": False,
    }
    assert [c["name"] for c in channels if c["is_ext_shared"]] == ["partners"]


async def test_lists_come_in_pieces(slack: Any) -> None:
    first = await slack.client.conversations_list(limit=3)
    rest = await slack.client.conversations_list(limit=3, cursor=first["response_metadata"]["next_cursor"])
    assert (len(first["channels"]), len(rest["channels"])) == (3, 1)
    assert rest["response_metadata"]["next_cursor"] == ""


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"cursor": "x"}, "invalid_cursor"), ({"limit": 0}, "invalid_limit"), ({"types": "rooms"}, "invalid_types")],
)
async def test_a_wrong_piece_is_refused(slack: Any, arguments: dict[str, Any], error: str) -> None:
    assert (await slack.refusal(slack.client.conversations_list(**arguments)))["error"] == error


async def test_history_is_newest_first_without_replies_unless_they_were_broadcast(slack: Any) -> None:
    parent = await say(slack, "parent")
    await say(slack, "reply", thread_ts=parent)
    await say(slack, "loud reply", thread_ts=parent, reply_broadcast=True)
    history = (await slack.client.conversations_history(channel="C0INCIDENTS"))["messages"]
    assert [m["text"] for m in history] == ["loud reply", "parent"]


async def test_history_can_be_bounded(slack: Any) -> None:
    first, second = await say(slack, "1"), await say(slack, "2")
    ask = slack.client.conversations_history
    assert [m["ts"] for m in (await ask(channel="C0INCIDENTS", oldest=first))["messages"]] == [second]
    both = await ask(channel="C0INCIDENTS", oldest=first, inclusive=True)
    assert [m["ts"] for m in both["messages"]] == [second, first]
    piece = await ask(channel="C0INCIDENTS", limit=1)
    assert piece["has_more"] is True
    cursor = piece["response_metadata"]["next_cursor"]
    assert [m["ts"] for m in (await ask(channel="C0INCIDENTS", cursor=cursor))["messages"]] == [first]
    assert (await slack.refusal(ask(channel="C0INCIDENTS", oldest="noon")))["error"] == "invalid_ts_oldest"


async def test_metadata_comes_only_when_asked_for(slack: Any) -> None:
    await say(slack, "x", metadata={"event_type": "card", "event_payload": {}})
    (plain,) = (await slack.client.conversations_history(channel="C0INCIDENTS"))["messages"]
    (full,) = (await slack.client.conversations_history(channel="C0INCIDENTS", include_all_metadata=True))["messages"]
    assert ("metadata" in plain, full["metadata"]["event_type"]) == (False, "card")


async def test_what_the_bot_cannot_read(slack: Any) -> None:
    ask = slack.client.conversations_history
    assert (await slack.refusal(ask(channel="C0GENERAL")))["error"] == "not_in_channel"
    assert (await slack.refusal(ask(channel="C0NOWHERE")))["error"] == "channel_not_found"
    gone = await slack.refusal(slack.client.conversations_replies(channel="C0INCIDENTS", ts="1.000001"))
    assert gone["error"] == "thread_not_found"


async def test_scopes_go_by_the_kind_of_channel(start_slack: Any) -> None:
    slack = await start_slack(scopes=["chat:write", "im:history"])
    refused = await slack.refusal(slack.client.conversations_history(channel="C0INCIDENTS"))
    assert (refused["error"], refused["needed"]) == ("missing_scope", "channels:history")
    direct = (await slack.client.chat_postMessage(channel="U0LEE", text="x"))["channel"]
    assert (await slack.client.conversations_history(channel=direct))["ok"]


async def test_members_and_info(slack: Any) -> None:
    members = (await slack.client.conversations_members(channel="C0INCIDENTS"))["members"]
    assert {"U0LEE", "U0SIGNOFF", "U0GUEST"} <= set(members)
    info = (await slack.client.conversations_info(channel="C0PARTNERS"))["channel"]
    assert (info["is_ext_shared"], info["is_member"]) == (True, False)


async def test_a_direct_conversation_is_opened_once(slack: Any) -> None:
    first = await slack.client.conversations_open(users="U0LEE")
    again = await slack.client.conversations_open(users=["U0LEE"], return_im=True)
    assert first["channel"]["id"] == again["channel"]["id"]
    assert (again["already_open"], again["channel"]["user"]) == (True, "U0LEE")


@pytest.mark.parametrize(
    ("user", "error"), [("U0NOBODY", "user_not_found"), ("U0SIGNOFF", "cannot_dm_bot"), ("U0GONE", "user_disabled")]
)
async def test_a_direct_conversation_needs_an_active_person(slack: Any, user: str, error: str) -> None:
    assert (await slack.refusal(slack.client.conversations_open(users=user)))["error"] == error


async def test_joining_needs_its_scope_and_a_public_channel(slack: Any, start_slack: Any) -> None:
    assert (await slack.refusal(slack.client.conversations_join(channel="C0GENERAL")))["needed"] == "channels:join"
    other = await start_slack(scopes=["channels:join", "channels:read", "channels:history"])
    assert (await other.client.conversations_join(channel="C0GENERAL"))["channel"]["is_member"] is True
    assert (await other.client.conversations_history(channel="C0GENERAL"))["messages"] == []
