"""Before a method runs: tokens, scopes, limits and arguments; after it: Slack's shapes, whatever happens."""

import asyncio
import json
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient


async def test_auth_test_tells_who_the_bot_is(slack: Any) -> None:
    answer = await slack.client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == ("T0SHOP", "U0SIGNOFF", "B0SIGNOFF")
    assert "chat:write" in answer.headers["x-oauth-scopes"]


async def test_an_unknown_method_is_never_ok_and_shows_as_an_error(slack: Any) -> None:
    assert (await slack.refusal(slack.client.api_call("chat.postMesage")))["error"] == "unknown_method"
    assert "chat.postMesage: unknown_method" in await slack.titles(level="error")


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("", "not_authed"),
        ("Bearer ", "not_authed"),
        ("Bearer xoxb-local-wrong", "invalid_auth"),
        ("Bearer xoxb-1234-5678-real", "invalid_auth"),
        ("Basic x", "invalid_auth"),
    ],
)
async def test_only_the_local_token_is_taken(slack: Any, token: str, error: str) -> None:
    headers = {"Authorization": token} if token else {}
    async with slack.http.post(f"{slack.sandbox.api_url}auth.test", headers=headers) as response:
        assert await response.json() == {"ok": False, "error": error}


async def test_a_refused_token_is_in_no_log(slack: Any) -> None:
    headers = {"Authorization": "Bearer xoxb-1234-5678-real"}
    async with slack.http.post(f"{slack.sandbox.api_url}auth.test", headers=headers) as response:
        assert (await response.json())["error"] == "invalid_auth"
    assert "5678" not in json.dumps(await slack.get("/sandbox/log"))


async def test_each_token_is_for_its_own_methods(slack: Any) -> None:
    with_app_token = AsyncWebClient(slack.sandbox.app_token, base_url=slack.sandbox.api_url)
    assert (await slack.refusal(with_app_token.auth_test()))["error"] == "not_allowed_token_type"
    refused = await slack.refusal(slack.client.apps_connections_open(app_token=slack.sandbox.bot_token))
    assert refused["error"] == "not_allowed_token_type"


async def test_real_looking_tokens_cannot_be_configured(start_slack: Any) -> None:
    with pytest.raises(ValueError, match="never a real one"):
        await start_slack(bot_token="xoxb-123-456-abc")


async def test_a_missing_scope_says_what_is_needed_and_provided(start_slack: Any) -> None:
    slack = await start_slack(scopes=["users:read"])
    refused = await slack.refusal(slack.client.chat_postMessage(channel="C0INCIDENTS", text="x"))
    assert (refused["error"], refused["needed"], refused["provided"]) == ("missing_scope", "chat:write", "users:read")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"channel": "C0INCIDENTS", "text": "x", "colour": "red"}, "argument is unknown [json-pointer:/colour]"),
        ({"channel": "C0INCIDENTS", "attachments": []}, "argument is not played by this sandbox"),
        ({"text": "x"}, "missing required field: channel"),
        ({"channel": ["C0INCIDENTS"], "text": "x"}, "must be a string [json-pointer:/channel]"),
        ({"channel": "C0INCIDENTS", "text": "x", "unfurl_links": "maybe"}, "must be a boolean"),
        ({"channel": "C0INCIDENTS", "blocks": "[{"}, "must be valid JSON [json-pointer:/blocks]"),
    ],
)
async def test_wrong_arguments_are_named(slack: Any, arguments: dict[str, Any], message: str) -> None:
    refused = await slack.refusal(slack.client.api_call("chat.postMessage", json=arguments))
    assert refused["error"] == "invalid_arguments"
    assert message in refused["response_metadata"]["messages"][0]


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"channel": "C0INCIDENTS", "text": "x"}},
        {"data": {"channel": "C0INCIDENTS", "text": "x"}},
        {"params": {"channel": "C0INCIDENTS", "text": "x"}},
        {"data": {"channel": "C0INCIDENTS", "blocks": json.dumps([{"type": "divider"}])}},
    ],
    ids=["json", "form", "query", "form with json"],
)
async def test_arguments_come_as_json_form_or_query(slack: Any, sent: dict[str, Any]) -> None:
    assert (await slack.client.api_call("chat.postMessage", **sent))["ok"] is True


@pytest.mark.parametrize(
    ("body", "error"), [(b"{", "invalid_json"), (b"[" * 100_000, "invalid_json"), (b"[]", "json_not_object")]
)
async def test_a_body_that_is_no_json_object_is_refused(slack: Any, body: bytes, error: str) -> None:
    headers = {"Authorization": f"Bearer {slack.sandbox.bot_token}", "Content-Type": "application/json"}
    async with slack.http.post(f"{slack.sandbox.api_url}chat.postMessage", data=body, headers=headers) as response:
        assert (response.status, (await response.json())["error"]) == (200, error)


async def test_too_many_posts_are_limited_with_a_whole_number_of_seconds(start_slack: Any) -> None:
    slack = await start_slack(rate_limit_scale=1)
    for _ in range(5):
        await slack.client.chat_postMessage(channel="C0INCIDENTS", text="x")
    with pytest.raises(SlackApiError) as raised:
        await slack.client.chat_postMessage(channel="C0INCIDENTS", text="x")
    response = raised.value.response
    assert (response.status_code, response["error"], response.headers["Retry-After"]) == (429, "ratelimited", "1")
    slack.clock.now += 1
    assert (await slack.client.chat_postMessage(channel="C0INCIDENTS", text="x"))["ok"]


async def test_the_limit_can_be_switched_on_for_the_next_calls(slack: Any) -> None:
    await slack.switch(rate_limited_next={"auth.test": 1}, retry_after=7)
    with pytest.raises(SlackApiError) as raised:
        await slack.client.auth_test()
    assert raised.value.response.headers["Retry-After"] == "7"
    assert (await slack.client.auth_test())["ok"]


async def test_a_failed_call_does_nothing(slack: Any) -> None:
    await slack.switch(fail_next={"chat.postMessage": 1})
    with pytest.raises(SlackApiError) as raised:
        await slack.client.chat_postMessage(channel="C0INCIDENTS", text="x")
    assert raised.value.response.status_code == 500
    assert await slack.messages() == []


async def test_a_call_that_hangs_is_answered_later_until_that_is_set_back(slack: Any) -> None:
    await slack.switch(hang={"auth.test": 30})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(slack.client.auth_test(), 0.2)
    await slack.switch(hang={"auth.test": 0})
    assert (await slack.client.auth_test())["ok"]


async def test_a_lost_answer_leaves_the_message_to_be_found_by_its_metadata(slack: Any) -> None:
    await slack.switch(lose_answer_next={"chat.postMessage": 1})
    client = AsyncWebClient(slack.sandbox.bot_token, base_url=slack.sandbox.api_url, retry_handlers=[])
    metadata = {"event_type": "card", "event_payload": {"id": "INC-1"}}
    with pytest.raises(Exception, match=r"disconnected|reset|closed"):
        await client.chat_postMessage(channel="C0INCIDENTS", text="x", metadata=metadata)
    history = await client.conversations_history(channel="C0INCIDENTS", include_all_metadata=True)
    assert [message["metadata"] for message in history["messages"]] == [metadata]
