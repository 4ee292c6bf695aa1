import logging

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.clients.slack import close, is_loopback, open_client
from tests.chat.workspace import INCIDENTS, local_slack


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8080/api/", True),
        ("http://[::1]:8080/api/", True),
        ("http://localhost/api/", True),
        ("https://slack.com/api/", False),
        ("http://127.0.0.1.evil.example/api/", False),
        ("nonsense", False),
    ],
)
def test_which_urls_stay_on_this_machine(url: str, local: bool) -> None:
    assert is_loopback(url) == local


async def test_a_proxy_of_the_environment_is_used_for_slack_but_not_for_a_local_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    real = open_client("xoxb-x")
    assert real.proxy == "http://127.0.0.1:9"
    async with local_slack() as slack:
        local = open_client(slack.sandbox.bot_token, base_url=slack.sandbox.api_url)
        assert (await local.auth_test())["team_id"] == "T0SHOP"
        await close(local)
    await close(real)


async def test_nothing_is_repeated_behind_our_back() -> None:
    async with local_slack() as slack:
        client = open_client(slack.sandbox.bot_token, base_url=slack.sandbox.api_url)
        await slack.switch(rate_limited_next={"auth.test": 1}, lose_answer_next={"chat.postMessage": 1})
        with pytest.raises(SlackApiError):
            await client.auth_test()
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.chat_postMessage(channel=INCIDENTS, text="once")
        assert [message["text"] for message in await slack.messages()] == ["once"]
        await close(client)


async def test_requests_are_not_logged_with_their_content(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("slack_sdk").setLevel(logging.NOTSET)
    caplog.set_level(logging.DEBUG)
    async with local_slack() as slack:
        client = open_client(slack.sandbox.bot_token, base_url=slack.sandbox.api_url)
        await client.chat_postMessage(channel="C0INCIDENTS", text="hunter2")
        await close(client)
    assert "hunter2" not in caplog.text
    assert client.token not in caplog.text
