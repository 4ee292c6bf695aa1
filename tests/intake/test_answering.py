"""Whatever the store does, Slack has its acknowledgement in time and the person the truth."""

from bot.chat.card import Card
from bot.intake.answering import NOT_RECORDED, UNSURE
from tests.intake.room import Room, request_card


async def test_a_store_that_fails_is_acknowledged_and_said(room: Room) -> None:
    room.inbox.raises = OSError("disk full: /secret/path")
    seen = await room.click(await room.post(request_card()), "apr.approve")
    assert seen["acked"]
    assert await room.told() == ["🚫 " + NOT_RECORDED]


async def test_a_store_that_is_too_slow_is_acknowledged_in_time_without_a_false_claim(room: Room) -> None:
    room.inbox.takes = 2.6
    seen = await room.click(await room.post(request_card()), "apr.approve")
    assert seen["acked"]
    assert await room.told() == ["🚫 " + UNSURE]
    assert "Nothing was recorded" not in UNSURE


async def test_a_refusal_of_a_click_in_a_thread_is_said_in_that_thread(room: Room) -> None:
    room.inbox.says = "No."
    parent = await room.post(Card("parent"))
    await room.click(await room.post(request_card(), thread_ts=parent), "apr.approve")
    (read,) = [m for m in await room.slack.messages() if m["ts"] == parent]
    assert "🚫 No." in [reply["text"] for reply in read["replies"]]
