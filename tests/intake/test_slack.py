"""The Bolt app: strangers stay outside, old buttons say so, and everything else is acknowledged."""

import logging
from typing import Any

import pytest

from bot.chat.card import Card, actions, button
from bot.clients.slack import close, open_client
from bot.intake import slack as intake
from bot.intake.answering import FOREIGN, STALE_BUTTON
from tests.chat.workspace import INCIDENTS, LEE
from tests.intake.room import MemoryInbox, Room, click_body, ops, request_card

HOME = {"team": {"id": "T0SHOP"}, "user": {"id": LEE, "team_id": "T0SHOP"}}


async def test_somebody_of_another_workspace_is_refused_and_only_they_are_told(room: Room) -> None:
    await room.slack.switch(invite={"channel": INCIDENTS, "user": "U0EXT"})
    ts = await room.post(request_card())
    assert (await room.click(ts, "apr.approve", user="U0EXT"))["acked"]
    assert await room.told("U0EXT") == ["🚫 " + FOREIGN]
    assert room.inbox.deliveries == 0


async def test_a_button_nobody_knows_any_more_says_so(room: Room) -> None:
    ts = await room.post(Card("old", (actions([button("Old", "gone.long.ago", "x")]),)))
    assert (await room.click(ts, "gone.long.ago"))["acked"]
    assert await room.told() == ["🚫 " + STALE_BUTTON]


@pytest.mark.parametrize(
    "body",
    [
        {**HOME, "type": "view_submission", "view": {"id": "V1", "callback_id": "other", "type": "modal"}},
        {**HOME, "type": "view_closed", "view": {"id": "V1", "callback_id": "other", "type": "modal"}},
        {**HOME, "type": "shortcut", "callback_id": "other", "trigger_id": "x"},
        {
            **HOME,
            "type": "message_action",
            "callback_id": "other",
            "trigger_id": "x",
            "message": {},
            "channel": {"id": "C"},
        },
        {**HOME, "type": "block_suggestion", "action_id": "x", "block_id": "b", "value": "v"},
        {**HOME, "type": "something_new_in_2027"},
        {"command": "/other", "team_id": "T0SHOP", "user_id": LEE, "text": "x"},
        {"type": "event_callback", "team_id": "T0SHOP", "event": {"type": "message", "text": "hi", "channel": "C"}},
        {"type": "event_callback", "team_id": "T0SHOP", "event": {"type": "app_uninstalled"}},
        {**click_body(), "actions": [{"type": "button", "action_id": "apr.approve", "block_id": "b"}]},
        {**click_body(), "channel": None, "container": {}},
    ],
    ids=lambda body: str(body.get("type") or body.get("command")),
)
async def test_everything_slack_can_send_is_acknowledged(room: Room, body: dict[str, Any]) -> None:
    from slack_bolt.request.async_request import AsyncBoltRequest

    app = intake.build(room.client, inbox=room.inbox)
    answer = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
    assert answer.status == 200


async def test_no_log_line_has_what_people_wrote(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    from slack_bolt.request.async_request import AsyncBoltRequest

    caplog.set_level(logging.DEBUG)
    app = intake.build(room.client, inbox=room.inbox)
    for body in (
        {**HOME, "type": "something_new_in_2027", "text": "hunter2"},
        {"type": "event_callback", "team_id": "T0SHOP", "event": {"type": "message", "text": "hunter2"}},
        {"command": "/ops", "team_id": "T0SHOP", "user_id": LEE, "text": "hunter2"},
    ):
        await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
    await ops(room, "hunter2")
    assert "hunter2" not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("slack"))


async def test_no_remark_about_the_token_in_the_environment(caplog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    client = open_client("xoxb-1")
    with caplog.at_level("INFO"):
        intake.build(client, inbox=MemoryInbox())
    await close(client)
    assert caplog.messages == []


async def test_building_the_app_does_not_contact_slack() -> None:
    client = open_client("xoxb-local-none", base_url="http://127.0.0.1:9/api/")
    intake.build(client, inbox=MemoryInbox())
    await close(client)
