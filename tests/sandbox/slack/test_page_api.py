"""The JSON API shows each person what they see, says what is wrong with a request, and waits for changes."""

import asyncio
from typing import Any

import pytest


async def test_channels_differ_by_person(slack: Any) -> None:
    async def names(user: str) -> list[str]:
        return [channel["name"] for channel in (await slack.get("/sandbox/channels", user=user))["channels"]]

    assert await names("U0LEE") == ["incidents", "deploys", "general", "partners"]
    assert await names("U0GUEST") == ["incidents"]
    assert await names("U0EXT") == ["partners"]


async def test_replies_are_below_their_parent(slack: Any) -> None:
    parent = (await slack.client.chat_postMessage(channel="C0INCIDENTS", text="parent"))["ts"]
    await slack.act("message", channel="C0INCIDENTS", text="reply", thread_ts=parent)
    (message,) = await slack.messages()
    assert [reply["text"] for reply in message["replies"]] == ["reply"]


async def test_a_message_needs_membership_and_text(slack: Any) -> None:
    refused = await slack.act("message", "U0DANA", channel="C0PARTNERS", text="x", status=409)
    assert "not in #partners" in refused["error"]
    assert (await slack.act("message", channel="C0INCIDENTS", text=" ", status=409))["error"]
    assert (await slack.act("message", channel="C0INCIDENTS", text="x", thread_ts="1", status=409))["error"]
    assert await slack.messages() == []


async def test_people_react(slack: Any) -> None:
    ts = (await slack.client.chat_postMessage(channel="C0INCIDENTS", text="x"))["ts"]
    where = {"channel": "C0INCIDENTS", "ts": ts, "name": "eyes"}
    await slack.act("react", **where)
    assert (await slack.act("react", status=409, **where))["error"] == "already_reacted"
    await slack.act("react", remove=True, **where)
    assert "reactions" not in (await slack.messages())[0]


@pytest.mark.parametrize(
    ("act", "body", "words"),
    [
        ("message", [], "the body must be a JSON object"),
        ("message", {}, "user must be text"),
        ("message", {"user": "U0LEE"}, "channel must be text"),
        ("message", {"user": "U0LEE", "wait": 31}, "wait must be"),
        ("submit", {"user": "U0LEE", "view_id": "V", "values": []}, "values must be an object"),
        ("switches", {"gravity": 0}, "unknown switches ['gravity']"),
        ("switches", {"rate_limit_scale": -1}, "from 0 to"),
        ("switches", {"disconnect": "gently"}, "drop, warning or refresh_requested"),
        ("switches", {"invite": {"channel": "C0"}}, "no such channel"),
        ("switches", {"invite": {"channel": "C0INCIDENTS", "user": []}}, "no such user"),
        ("switches", {"hire": {"user": "U0NEW"}}, "and a name"),
        ("switches", {"hire": {"user": "U0LEE", "name": "Lee"}}, "somebody with this id"),
        ("switches", {"fail_next": {"auth.test": "one"}}, "number of calls"),
        ("switches", {"fail_next": {"auth.tset": 1}}, "plays no method ['auth.tset']"),
        ("switches", {"archive": {"channel": "C0INCIDENTS", "archived": 1}}, "true or false"),
    ],
)
async def test_a_malformed_request_is_told_what_is_wrong(slack: Any, act: str, body: Any, words: str) -> None:
    assert words in (await slack.post(act, body, status=400))["error"]


async def test_a_mistake_in_one_switch_turns_none(slack: Any) -> None:
    await slack.post("switches", {"plan_upgrade_required": True, "disconnect": "gently"}, status=400)
    assert (await slack.client.usergroups_list())["ok"]


async def test_who_is_hired_is_a_full_member_of_the_bots_channels(slack: Any) -> None:
    await slack.post("switches", {"hire": {"user": "U0NEW", "name": "Noor Newman"}})
    found = (await slack.client.users_info(user="U0NEW"))["user"]
    assert found["real_name"] == "Noor Newman"
    assert not found["is_restricted"]
    await slack.act("message", "U0NEW", channel="C0INCIDENTS", text="hello")


async def test_waiting_for_a_change_ends_with_it(slack: Any) -> None:
    revision = (await slack.get("/sandbox/state", user="U0LEE"))["revision"]
    waiting = asyncio.create_task(slack.get("/sandbox/changes", since=str(revision)))
    await slack.client.chat_postMessage(channel="C0INCIDENTS", text="x")
    assert (await asyncio.wait_for(waiting, 5))["revision"] > revision


async def test_a_refused_call_is_in_the_log_with_its_payload(slack: Any) -> None:
    await slack.refusal(slack.client.chat_postMessage(channel="C0INCIDENTS", text="x", blocks=[{"type": "x"}]))
    entries = (await slack.get("/sandbox/log"))["entries"]
    (entry,) = [entry for entry in entries if entry["level"] == "error"]
    assert entry["detail"]["error"] == "invalid_blocks"
    assert entry["detail"]["arguments"]["blocks"] == [{"type": "x"}]
    assert (await slack.get("/sandbox/log", since=str(entry["n"])))["entries"] == []


async def test_the_story_offers_same_origin_actions_only(slack: Any) -> None:
    slack.sandbox.set_story("Fire it.", [{"label": "Fire", "method": "POST", "path": "/demo/fire"}])
    assert (await slack.get("/sandbox/story"))["actions"][0]["label"] == "Fire"
    for target in ("https://evil.example", "//evil.example", "", "/\\evil.example"):
        with pytest.raises(ValueError, match="on this origin"):
            slack.sandbox.set_story("x", [{"label": "x", "href": target}])
