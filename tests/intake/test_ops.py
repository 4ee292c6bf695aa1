"""/ops answers whoever typed it, whatever was typed and whatever the database does."""

import pytest

from bot.chat.rerun_asked import RerunAsked
from bot.intake.answering import NOT_READ
from tests.chat.workspace import DANA, INCIDENTS, LEE
from tests.intake.room import Room, ops


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "/ops incidents"),
        ("help", "what waits for somebody"),
        ("incidents", "1 open incident"),
        ("approvals", "1 waiting for sign-off"),
        ("status INC-142", "Likely cause"),
        ("status A-77", "Exact change"),
        ("status INC-9", "There is no INC-9."),
        ("status A-9", "There is no A-9."),
        ("incidnets", "is no command of Signoff. Did you mean"),
        ("<!channel>", "is no command of Signoff"),
    ],
)
async def test_ops_answers_whoever_asks_and_nobody_else(room: Room, typed: str, says: str) -> None:
    seen = await ops(room, typed)
    assert seen["acked"]
    (answer,) = seen["ephemeral"]
    assert says in str(answer["blocks"])
    assert (await room.slack.read(f"channels/{INCIDENTS}/messages", user=DANA))["messages"] == []


async def test_ops_says_so_when_the_database_is_away_or_slow(room: Room) -> None:
    room.inbox.raises = OSError("no")
    (answer,) = (await ops(room, "incidents"))["ephemeral"]
    assert NOT_READ in answer["text"]
    room.inbox.raises, room.inbox.takes = None, 2.6
    seen = await ops(room, "incidents")
    assert seen["acked"]
    assert NOT_READ in seen["ephemeral"][0]["text"]


async def test_actions_are_turned_off_with_a_word(room: Room) -> None:
    said = await room.slack.act("command", user=LEE, channel=INCIDENTS, text="/ops actions off the registry is gone")
    assert room.inbox.wished == [("off", LEE, "the registry is gone")]
    assert "Actions are off." in str(said)


async def test_failed_jobs_are_asked_for_by_address(room: Room) -> None:
    said = await room.slack.act("command", user=LEE, channel=INCIDENTS, text="/ops rerun shop/deploy#12")
    (wanted,) = room.inbox.named.values()
    assert (wanted.person.user_id, wanted.asked) == (LEE, RerunAsked("shop/deploy", number=12))
    assert "Asking." in str(said)
    assert "Which run?" in str(await ops(room, "rerun"))


async def test_a_row_that_cannot_be_read_is_said_to_be_so(room: Room) -> None:
    said = await room.slack.act("command", user=LEE, channel=INCIDENTS, text="/ops status INC-13")
    assert "can no longer be read: garbled" in str(said)
