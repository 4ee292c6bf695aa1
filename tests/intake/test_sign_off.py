"""Votes, reasons and answers are stored before they are acknowledged; a refusal is told to that person only."""

import pytest

from bot.chat import approval_buttons, approval_card, glass_card, thread
from bot.chat.approval_card import ApprovalView, VoteLine
from bot.chat.card import Card, actions, button
from bot.domain.approval import Person
from bot.intake import slack as intake
from bot.intake.answering import NOT_RECORDED, STALE_BUTTON
from tests.chat.samples import approval
from tests.chat.workspace import DANA, INCIDENTS, LEE
from tests.intake.room import A77, FILLED, PLAN, RUN, Room, click_body, fill, request_card


async def test_a_click_on_approve_is_stored_before_it_is_acknowledged(room: Room) -> None:
    room.inbox.takes = 0.3
    seen = await room.click(await room.post(request_card()), "apr.approve")
    assert seen["acked"]
    (click,) = room.inbox.clicks.values()
    assert (click.approval_id, click.digest, click.decision, click.reason) == ("a77", A77.digest, "approve", "")
    assert (click.person, click.channel) == (Person("T0SHOP", LEE), INCIDENTS)
    assert click.person_name
    assert await room.told() == []


async def test_two_clicks_are_two_votes_and_one_click_twice_is_one(room: Room) -> None:
    ts = await room.post(request_card())
    await room.click(ts, "apr.approve")
    await room.click(ts, "apr.approve")
    await room.click(ts, "apr.approve", user=DANA)
    assert len(room.inbox.clicks) == 3

    app = intake.build(room.client, inbox=room.inbox)
    from slack_bolt.request.async_request import AsyncBoltRequest

    body = click_body(action_ts="1795255320.000100")
    for _ in range(2):
        answer = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
        assert answer.status == 200
    assert room.inbox.deliveries == 5
    assert len(room.inbox.clicks) == 4


async def test_what_the_inbox_refuses_is_told_to_that_person_only(room: Room) -> None:
    room.inbox.says = "There is no such request any more: nothing was recorded."
    ts = await room.post(request_card())
    assert (await room.click(ts, "apr.approve"))["acked"]
    assert await room.told() == ["🚫 There is no such request any more: nothing was recorded."]
    assert await room.told(DANA) == []


async def test_who_could_not_deny_is_told_at_once_and_writes_nothing(room: Room) -> None:
    room.inbox.foreseen = "Dana is not on the list of approvers for this action: Lee may deny."
    seen = await room.click(await room.post(request_card()), "apr.deny", user=DANA, wait=5)
    assert seen["modals"] == []
    assert any("not on the list of approvers" in text for text in await room.told(DANA))


async def test_the_form_opens_in_time_when_it_cannot_be_foreseen(room: Room) -> None:
    room.inbox.takes = 30.0
    (view,) = (await room.click(await room.post(request_card()), "apr.deny", wait=5))["modals"]
    assert view["title"]["text"] == "Deny A-77"


@pytest.mark.parametrize(("choice", "decision"), [("revoke", "revoke"), ("cancel", "cancel")])
async def test_an_approval_and_a_request_are_taken_back_behind_the_dots(room: Room, choice: str, decision: str) -> None:
    asked = approval(PLAN, requester=Person("T0SHOP", DANA))
    ts = await room.post(approval_card.render(asked, PLAN, ApprovalView()))
    await room.click(ts, "apr.more", value=f"{choice}:{approval_buttons.button_value(asked)}", wait=5)
    (click,) = room.inbox.clicks.values()
    assert (click.decision, click.approval_id, click.digest) == (decision, asked.id, asked.digest)


async def test_deny_asks_for_a_reason_and_stores_it(room: Room) -> None:
    seen = await room.click(await room.post(request_card()), "apr.deny", wait=5)
    assert seen["acked"]
    (view,) = seen["modals"]
    assert view["title"]["text"] == "Deny A-77"
    assert room.inbox.clicks == {}
    seen = await room.slack.act("submit", user=LEE, view_id=view["id"], values={"reason": "4.18.0 is on its way"})
    assert (seen["acked"], seen["modals"]) == (True, [])
    (click,) = room.inbox.clicks.values()
    assert (click.decision, click.reason, click.channel) == ("deny", "4.18.0 is on its way", INCIDENTS)
    assert (click.approval_id, click.digest) == ("a77", A77.digest)


async def test_breaking_the_glass_asks_for_a_reason_and_stores_it(room: Room) -> None:
    plan = PLAN | {"break_glass": [{"team_id": "T0SHOP", "user_id": LEE, "name": "lee"}]}
    ts = await room.post(approval_card.render(A77, plan, ApprovalView()))
    seen = await room.click(ts, "apr.more", value=f"break:{approval_buttons.button_value(A77)}", wait=5)
    (view,) = seen["modals"]
    assert view["title"]["text"] == "Break glass A-77"
    assert room.inbox.clicks == {}
    seen = await room.slack.act("submit", user=LEE, view_id=view["id"], values={"reason": "   "})
    assert "those whose approval is passed over" in seen["errors"]["reason"]
    seen = await room.slack.act("submit", user=LEE, view_id=view["id"], values={"reason": "the shop is down"})
    assert (seen["acked"], seen["modals"]) == (True, [])
    (click,) = room.inbox.clicks.values()
    assert (click.decision, click.reason) == ("break", "the shop is down")
    assert (click.approval_id, click.digest) == (A77.id, A77.digest)


async def test_who_could_not_break_the_glass_is_told_at_once(room: Room) -> None:
    room.inbox.foreseen = "Lee may not break the glass for A-77: Dana may."
    plan = PLAN | {"break_glass": [{"team_id": "T0SHOP", "user_id": DANA, "name": "dana"}]}
    ts = await room.post(approval_card.render(A77, plan, ApprovalView()))
    seen = await room.click(ts, "apr.more", value=f"break:{approval_buttons.button_value(A77)}", wait=5)
    assert seen["modals"] == []
    assert any("may not break the glass" in text for text in await room.told())
    assert room.inbox.clicks == {}


async def test_a_review_is_closed_with_a_word(room: Room) -> None:
    broken = VoteLine(Person("T0SHOP", DANA), "dana", "break", 1, "the shop is down")
    card = glass_card.render(A77, "Roll back: shop/checkout (INC-142)", "dana broke the glass", broken, None)
    (view,) = (await room.click(await room.post(card), glass_card.REVIEW_ACTION, wait=5))["modals"]
    assert view["title"]["text"] == "Review A-77"
    seen = await room.slack.act("submit", user=LEE, view_id=view["id"], values={"reason": "right, nobody answered"})
    assert (seen["acked"], seen["modals"]) == (True, [])
    (click,) = room.inbox.clicks.values()
    assert (click.decision, click.reason, click.digest) == ("reviewed", "right, nobody answered", A77.digest)


async def test_a_denial_that_cannot_be_stored_keeps_the_form_open(room: Room) -> None:
    (view,) = (await room.click(await room.post(request_card()), "apr.deny", wait=5))["modals"]
    room.inbox.raises = OSError("disk full")
    seen = await room.slack.act("submit", user=LEE, view_id=view["id"], values={"reason": "not now"})
    assert seen["errors"] == {"reason": NOT_RECORDED}
    assert len(seen["modals"]) == 1
    room.inbox.raises = None
    seen = await room.slack.act("submit", user=LEE, view_id=view["id"], values={"reason": "not now"})
    assert seen["modals"] == []
    assert len(room.inbox.clicks) == 1


async def test_a_blank_reason_is_refused_in_the_form(room: Room) -> None:
    (view,) = (await room.click(await room.post(request_card()), "apr.deny", wait=5))["modals"]
    seen = await room.slack.act("submit", user=LEE, view_id=view["id"], values={"reason": "    "})
    assert seen["errors"] == {"reason": "Write a few words: those who asked will read them."}
    assert room.inbox.clicks == {}


async def test_a_button_with_a_value_of_another_kind_records_nothing(room: Room) -> None:
    for action in ("apr.approve", "apr.deny", "run.applied"):
        row = actions([button("Old", action, "what is this?")])
        ts = await room.post(Card("old", (row,)))
        assert (await room.click(ts, action))["acked"]
    assert await room.told() == ["🚫 " + STALE_BUTTON] * 3
    assert room.inbox.deliveries == 0


async def test_a_request_is_changed_by_who_may_and_others_are_told(room: Room) -> None:
    ts = await room.post(request_card())
    change = f"edit:{approval_buttons.button_value(A77)}"
    await room.click(ts, "apr.more", user=DANA, value=change, wait=5)
    assert "🚫 You may not change this." in await room.told(DANA)
    (view,) = (await room.click(ts, "apr.more", value=change, wait=5))["modals"]
    await fill(room, view, FILLED)
    (wanted,) = room.inbox.asks.values()
    assert wanted.asked.replaces == approval_buttons.button_value(A77)
    assert room.inbox.clicks == {}


@pytest.mark.parametrize(
    ("action", "said"), [("run.applied", "applied"), ("run.notapplied", "absent"), ("run.again", "again")]
)
async def test_the_answer_to_an_unknown_run_is_stored(room: Room, action: str, said: str) -> None:
    ts = await room.post(thread.question(A77.name, RUN, "The connection broke."))
    assert (await room.click(ts, action))["acked"]
    (answer,) = room.inbox.answers.values()
    assert (answer.run_id, answer.said, answer.person) == ("r1", said, Person("T0SHOP", LEE))
