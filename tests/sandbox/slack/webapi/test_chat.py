"""Posting, editing and deleting follow Slack's rules for texts, blocks, threads and ownership."""

from typing import Any

import pytest

DIVIDER = {"type": "divider"}
METADATA = {"event_type": "card", "event_payload": {"id": "INC-1", "version": 2}}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def post(slack: Any, channel: str = "C0INCIDENTS", **content: Any) -> str:
    return str((await slack.client.chat_postMessage(channel=channel, **({"text": "x"} | content)))["ts"])


async def test_a_post_has_a_unique_timestamp_ids_in_its_blocks_and_its_metadata(slack: Any) -> None:
    first = await slack.client.chat_postMessage(channel="C0INCIDENTS", text="a", blocks=[DIVIDER], metadata=METADATA)
    second = await slack.client.chat_postMessage(channel="#incidents", text="b")
    assert first["ts"] < second["ts"]
    assert len(first["ts"]) == 17
    assert first["message"]["blocks"][0]["block_id"]
    assert first["message"]["metadata"] == METADATA
    assert (first["message"]["user"], first["message"]["bot_id"]) == ("U0SIGNOFF", "B0SIGNOFF")


async def test_invalid_blocks_have_slacks_shape(slack: Any) -> None:
    refused = await slack.refusal(post(slack, blocks=[section("x" * 3001)]))
    sentences = [
        "failed to match all allowed schemas [json-pointer:/blocks/0/text]",
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    ]
    assert refused == {
        "ok": False,
        "error": "invalid_blocks",
        "errors": sentences,
        "response_metadata": {"messages": [f"[ERROR] {sentence}" for sentence in sentences]},
    }


async def test_the_sum_of_all_texts_is_bounded(slack: Any) -> None:
    await post(slack, blocks=[section("x" * 3000)] * 4)
    refused = await slack.refusal(post(slack, blocks=[section("x" * 3000)] * 4 + [section("x")]))
    assert refused["error"] == "msg_blocks_too_long"


async def test_a_long_text_is_cut_at_40000(slack: Any) -> None:
    assert (
        len((await slack.client.chat_postMessage(channel="C0INCIDENTS", text="x" * 40_001))["message"]["text"])
        == 40_000
    )


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"blocks": {"type": "divider"}}, "invalid_blocks_format"),
        ({"metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"metadata": {"event_type": "x", "event_payload": {"a": "b" * 20_000}}}, "metadata_too_large"),
        ({"thread_ts": "12"}, "invalid_thread_ts"),
        ({"thread_ts": "1795255200.000001"}, "cannot_reply_to_message"),
        ({"channel": "C0NOWHERE"}, "channel_not_found"),
        ({"channel": "C0GENERAL"}, "not_in_channel"),
    ],
)
async def test_a_post_that_slack_would_refuse_is_refused(slack: Any, content: dict[str, Any], error: str) -> None:
    assert (await slack.refusal(post(slack, **content)))["error"] == error


async def test_chat_write_public_opens_public_channels(start_slack: Any) -> None:
    slack = await start_slack(scopes=["chat:write", "chat:write.public"])
    assert await post(slack, channel="C0GENERAL")


async def test_an_archived_channel_takes_no_posts(slack: Any) -> None:
    await slack.switch(archive={"channel": "C0INCIDENTS"})
    assert (await slack.refusal(post(slack)))["error"] == "is_archived"


async def test_only_a_parent_can_have_replies(slack: Any) -> None:
    parent = await post(slack)
    reply = await post(slack, thread_ts=parent)
    assert (await slack.refusal(post(slack, thread_ts=reply)))["error"] == "cannot_reply_to_message"
    thread = (await slack.client.conversations_replies(channel="C0INCIDENTS", ts=parent))["messages"]
    assert [message["ts"] for message in thread] == [parent, reply]
    assert (thread[0]["reply_count"], thread[0]["latest_reply"]) == (1, reply)


async def test_a_user_id_posts_into_the_direct_conversation(slack: Any) -> None:
    answer = await slack.client.chat_postMessage(channel="U0LEE", text="psst")
    assert answer["channel"].startswith("D")
    assert [m["text"] for m in await slack.messages(answer["channel"])] == ["psst"]


async def test_text_alone_removes_the_blocks_and_shows_as_edited(slack: Any) -> None:
    ts = await post(slack, text="old", blocks=[DIVIDER])
    message = (await slack.client.chat_update(channel="C0INCIDENTS", ts=ts, text="new"))["message"]
    assert "blocks" not in message
    assert message["edited"]["user"] == "U0SIGNOFF"


async def test_blocks_alone_keep_the_text_and_do_not_show_as_edited(slack: Any) -> None:
    ts = await post(slack, text="old", blocks=[DIVIDER])
    message = (await slack.client.chat_update(channel="C0INCIDENTS", ts=ts, blocks=[section("new")]))["message"]
    assert (message["text"], message["blocks"][0]["type"], "edited" in message) == ("old", "section", False)
    message = (await slack.client.chat_update(channel="C0INCIDENTS", ts=ts, blocks=[]))["message"]
    assert (message["text"], "blocks" in message) == ("old", False)


async def test_metadata_stays_until_it_is_replaced_or_removed(slack: Any) -> None:
    ts = await post(slack, metadata=METADATA)
    update = slack.client.chat_update
    assert (await update(channel="C0INCIDENTS", ts=ts, text="y"))["message"]["metadata"] == METADATA
    newer = METADATA | {"event_payload": {"id": "INC-1", "version": 3}}
    assert (await update(channel="C0INCIDENTS", ts=ts, text="y", metadata=newer))["message"]["metadata"] == newer
    assert "metadata" not in (await update(channel="C0INCIDENTS", ts=ts, text="y", metadata={}))["message"]


async def test_an_edit_notifies_nobody(slack: Any) -> None:
    ts = await post(slack, text="fires")
    await slack.client.chat_update(channel="C0INCIDENTS", ts=ts, text="resolved")
    assert [push["text"] for push in (await slack.get("/sandbox/pushes"))["pushes"]] == ["fires"]


@pytest.mark.parametrize(("length", "error"), [(4000, None), (4001, "msg_too_long")])
async def test_an_edit_takes_4000_characters(slack: Any, length: int, error: str | None) -> None:
    call = slack.client.chat_update(channel="C0INCIDENTS", ts=await post(slack), text="x" * length)
    if error is None:
        assert (await call)["ok"]
    else:
        assert (await slack.refusal(call))["error"] == error


async def test_an_edit_that_is_refused_changes_nothing(slack: Any) -> None:
    ts = await post(slack, text="old", metadata=METADATA)
    call = slack.client.chat_update(channel="C0INCIDENTS", ts=ts, text="new", blocks=[{"type": "x"}], metadata={})
    assert (await slack.refusal(call))["error"] == "invalid_blocks"
    (message,) = await slack.messages()
    assert (message["text"], message["metadata"]) == ("old", METADATA)


async def test_only_own_messages_can_be_edited_or_deleted(slack: Any) -> None:
    theirs = (await slack.act("message", channel="C0INCIDENTS", text="hi"))["message"]
    where = {"channel": "C0INCIDENTS", "ts": theirs}
    assert (await slack.refusal(slack.client.chat_update(**where, text="x")))["error"] == "cant_update_message"
    assert (await slack.refusal(slack.client.chat_delete(**where)))["error"] == "cant_delete_message"
    own = await post(slack)
    await slack.client.chat_delete(channel="C0INCIDENTS", ts=own)
    gone = await slack.refusal(slack.client.chat_update(channel="C0INCIDENTS", ts=own, text="x"))
    assert gone["error"] == "message_not_found"


async def test_an_ephemeral_message_has_one_reader_and_cannot_be_edited(slack: Any) -> None:
    answer = await slack.client.chat_postEphemeral(channel="C0INCIDENTS", user="U0DANA", text="not allowed")
    assert [m["is_ephemeral"] for m in await slack.messages(user="U0DANA")] == [True]
    assert await slack.messages(user="U0LEE") == []
    call = slack.client.chat_update(channel="C0INCIDENTS", ts=answer["message_ts"], text="x")
    assert (await slack.refusal(call))["error"] == "message_not_found"


@pytest.mark.parametrize("user", ["U0EXT", "U0NOBODY"])
async def test_an_ephemeral_message_needs_a_reader_in_the_channel(slack: Any, user: str) -> None:
    call = slack.client.chat_postEphemeral(channel="C0INCIDENTS", user=user, text="x")
    assert (await slack.refusal(call))["error"] == "user_not_in_channel"


async def test_a_permalink_leads_to_the_page(slack: Any) -> None:
    ts = await post(slack)
    reply = await post(slack, thread_ts=ts)
    link = (await slack.client.chat_getPermalink(channel="C0INCIDENTS", message_ts=ts))["permalink"]
    assert link == f"{slack.sandbox.url}/archives/C0INCIDENTS/p{ts.replace('.', '')}"
    async with slack.http.get(link) as response:
        assert "Local workspace" in await response.text()
    link = (await slack.client.chat_getPermalink(channel="C0INCIDENTS", message_ts=reply))["permalink"]
    assert link.endswith(f"?thread_ts={ts}&cid=C0INCIDENTS")


async def test_blocks_without_text_are_warned_about(slack: Any) -> None:
    await slack.client.api_call("chat.postMessage", json={"channel": "C0INCIDENTS", "blocks": [DIVIDER]})
    assert any("screen readers" in title for title in await slack.titles(level="warning"))
