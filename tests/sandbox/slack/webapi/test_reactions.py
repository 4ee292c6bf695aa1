"""Reactions are added once and taken back once."""

from typing import Any


async def test_a_reaction_comes_and_goes(slack: Any) -> None:
    ts = (await slack.client.chat_postMessage(channel="C0INCIDENTS", text="x"))["ts"]
    where = {"channel": "C0INCIDENTS", "timestamp": ts}
    await slack.client.reactions_add(name="eyes", **where)
    assert (await slack.messages())[0]["reactions"] == [{"name": "eyes", "users": ["U0SIGNOFF"], "count": 1}]
    assert (await slack.refusal(slack.client.reactions_add(name="eyes", **where)))["error"] == "already_reacted"
    assert (await slack.refusal(slack.client.reactions_add(name="E yes", **where)))["error"] == "invalid_name"
    await slack.client.reactions_remove(name="eyes", **where)
    assert (await slack.refusal(slack.client.reactions_remove(name="eyes", **where)))["error"] == "no_reaction"
    gone = {"channel": "C0INCIDENTS", "timestamp": "1.000001"}
    assert (await slack.refusal(slack.client.reactions_add(name="eyes", **gone)))["error"] == "message_not_found"
