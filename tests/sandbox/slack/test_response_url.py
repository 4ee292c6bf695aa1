"""The URL of a click answers five times in thirty minutes: quietly, in the channel, or in place of the original."""

from typing import Any

import pytest
from slack_sdk.webhook.async_client import AsyncWebhookClient

BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go"}


@pytest.fixture
async def url(slack: Any) -> str:
    """The response URL of a click of Lee."""
    app = slack.app()
    urls: list[str] = []

    @app.action("go")
    async def _(ack: Any, body: dict[str, Any]) -> None:
        urls.append(body["response_url"])
        await ack()

    await slack.run(app)
    ts = await slack.post_card(BUTTON)
    await slack.act("click", channel="C0INCIDENTS", ts=ts, action_id="go")
    return urls[0]


async def respond(url: str, **body: Any) -> tuple[int, str]:
    answer = await AsyncWebhookClient(url).send_dict(body)
    return answer.status_code, answer.body


async def test_the_answer_is_for_the_person_alone(slack: Any, url: str) -> None:
    assert await respond(url, text="not allowed") == (200, "ok")
    assert [m["text"] for m in await slack.messages(user="U0LEE")] == ["card", "not allowed"]
    assert [m["text"] for m in await slack.messages(user="U0DANA")] == ["card"]


async def test_the_answer_can_be_for_the_channel(slack: Any, url: str) -> None:
    await respond(url, text="for all", response_type="in_channel")
    assert [m["text"] for m in await slack.messages(user="U0DANA")] == ["card", "for all"]


async def test_the_original_can_be_replaced_and_deleted(slack: Any, url: str) -> None:
    await respond(url, text="replaced", replace_original=True)
    (message,) = await slack.messages()
    assert (message["text"], "blocks" in message) == ("replaced", False)
    await respond(url, delete_original=True)
    assert await slack.messages() == []


async def test_the_sixth_use_is_refused(slack: Any, url: str) -> None:
    assert [await respond(url, text="x") for _ in range(5)] == [(200, "ok")] * 5
    assert await respond(url, text="x") == (404, '{"ok": false, "error": "used_url"}')


async def test_it_ends_after_thirty_minutes(slack: Any, url: str) -> None:
    slack.clock.now += 1800
    assert (await respond(url, text="x"))[0] == 200
    slack.clock.now += 1
    assert await respond(url, text="x") == (404, '{"ok": false, "error": "expired_url"}')


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"text": "x", "colour": "red"}, "invalid_payload"),
        ({"text": 3}, "invalid_payload"),
        ({"text": "x", "response_type": "secret"}, "invalid_payload"),
        ({"blocks": [{"type": "x"}]}, "invalid_blocks"),
        ({"text": ""}, "no_text"),
    ],
)
async def test_a_wrong_answer_is_refused_and_costs_no_use(url: str, body: dict[str, Any], error: str) -> None:
    for _ in range(6):
        status, text = await respond(url, **body)
        assert (status, error in text) == (400, True)
    assert (await respond(url, text="x"))[0] == 200


async def test_a_body_that_is_no_json_is_refused(slack: Any, url: str) -> None:
    async with slack.http.post(url, data=b"{") as response:
        assert response.status == 400


async def test_the_sum_of_all_texts_is_not_bounded_here(url: str) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}
    assert (await respond(url, text="x", blocks=[section] * 5))[0] == 200


async def test_a_made_up_url_is_refused(slack: Any) -> None:
    assert (await respond(f"{slack.sandbox.url}/actions/abc", text="x"))[0] == 404
