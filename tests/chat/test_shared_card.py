"""Several requests in one message: each whole while it waits, each with its own buttons, none left out unnoticed."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.chat import approval_card
from bot.chat.approval_buttons import read_button_value
from bot.chat.approval_card import ApprovalView, VoteLine
from bot.chat.card import Card
from bot.chat.mrkdwn import exact, name
from bot.chat.shared_card import Shown, fits, render
from bot.domain.run import Run
from bot.sandbox.slack.blocks import problems_of_blocks, text_in_blocks
from tests.chat.samples import LEE, NOW, approval, need, record, target

NOTHING = ApprovalView()
DENIED = ApprovalView(votes=(VoteLine(LEE, "Lee", "deny", NOW, "not now"),))


def shown(number: int, view: ApprovalView = NOTHING, **more: Any) -> Shown:
    """A request with a target of its own; ``plan`` changes its record, the rest the request."""
    plan = record(**{"targets": [target(f"app-{number}")], **more.pop("plan", {})})
    plan["runbook"] = plan["runbook"] | {"title": f"Do thing {number}"}
    return Shown(approval(plan, id=f"a{number}", number=number, **more), plan, view, "")


def texts(card: Card) -> str:
    """All that stands on the card, once it is known that Slack takes it."""
    assert problems_of_blocks(list(card.blocks), "message") == []
    assert text_in_blocks(card.blocks) <= 10_000
    return json.dumps(card.blocks, ensure_ascii=False)


def buttons(card: Card) -> dict[str, dict[str, str]]:
    """The values of the buttons by action, for each row of them."""
    rows = [block for block in card.blocks if block["type"] == "actions"]
    return {row["block_id"]: {each["action_id"]: each.get("value", "") for each in row["elements"]} for row in rows}


def place(card: Card, text: str) -> int:
    """In which block this is first."""
    return next(index for index, block in enumerate(card.blocks) if text in json.dumps(block, ensure_ascii=False))


def test_one_request_has_the_card_it_would_have_alone() -> None:
    one = shown(1)
    assert render([one]) == approval_card.render(one.approval, one.record, one.view)
    over = shown(1, DENIED, state="denied")
    assert render([over]) == approval_card.render(over.approval, over.record, over.view)


def test_two_that_wait_are_both_whole_in_their_order_each_above_its_own_buttons() -> None:
    first, second = shown(1), shown(2)
    card = render([first, second])
    text = texts(card)
    assert "2 actions are proposed for INC-142." in text
    for each in (first, second):
        alone = approval_card.whole(each.approval, each.record, each.view)
        assert all(block in card.blocks for block in alone)
        assert read_button_value(buttons(card)[each.approval.name]["apr.approve"]) == (
            each.approval.id,
            each.approval.digest,
        )
    order = [place(card, sign) for sign in ("Do thing 1", '"block_id": "A-1"', "divider", "Do thing 2", '"A-2"')]
    assert order == sorted(order)
    assert card.broadcast
    assert card.text.startswith("A-1 needs your approval: Do thing 1: shop/app-1 in PROD (INC-142).")
    assert "A-2 needs your approval: Do thing 2: shop/app-2" in card.text


def test_what_is_decided_collapses_and_what_waits_stays_whole() -> None:
    denied, waits = shown(1, DENIED, state="denied"), shown(2)
    card = render([denied, waits])
    text = texts(card)
    assert "Denied" in text
    assert "“not now”" in text
    assert "/ops status A-1" in text
    assert "uid" not in json.dumps(card.blocks[: place(card, "divider")])
    assert set(buttons(card)) == {"A-2"}
    assert all(block in card.blocks for block in approval_card.whole(waits.approval, waits.record, waits.view))
    assert card.text.startswith("A-2 needs your approval")
    assert "A-1 denied" in card.text


def test_an_approved_one_can_be_taken_back_until_its_run_begins_and_its_run_is_told() -> None:
    votes = (VoteLine(LEE, "Lee", "approve", NOW),)
    card = render([shown(1, ApprovalView(votes=votes), state="approved", decided_at=NOW), shown(2)])
    assert set(buttons(card)["A-1"]) == {"apr.deny", "apr.more"}
    assert "apr.approve" in buttons(card)["A-2"]
    run = Run("r1", "a1", "i142", "succeeded", NOW, ended_at=NOW + 1, outcome="3 of 3 are available")
    over = shown(1, ApprovalView(votes=votes, run=run), state="approved", decided_at=NOW)
    card = render([over, shown(2, DENIED, state="denied")])
    assert buttons(card) == {}
    assert "It helped" in texts(card)
    assert "3 of 3 are available" in texts(card)
    assert not card.broadcast


def test_what_broke_the_glass_stays_on_a_collapsed_card() -> None:
    broken = VoteLine(LEE, "Lee", "break", NOW, "the shop is down")
    view = ApprovalView(votes=(broken,), broken=broken)
    text = texts(render([shown(1, view, state="approved", decided_at=NOW), shown(2)]))
    assert "the shop is down" in text
    assert "The break-glass is not yet reviewed." in text


def test_one_that_cannot_be_read_is_said_and_the_other_can_be_decided() -> None:
    card = render([None, shown(2)])
    assert "can no longer be read" in texts(card)
    assert "apr.approve" in buttons(card)["A-2"]
    assert "can no longer be read" in render([None]).text


def test_two_ordinary_ones_fit_and_long_ones_do_not() -> None:
    assert fits([shown(1), shown(2)])
    long = {"diff": "+ line of a change\n" * 150}
    assert fits([shown(1, plan=long)])
    assert not fits([shown(1, plan=long), shown(2, plan=long)])
    assert not fits([shown(number) for number in range(30)])


def test_what_does_not_fit_together_after_all_cannot_be_approved_there() -> None:
    long = {"diff": "+ line of a change\n" * 150, "needs": [need("oncall", *_people(20))]}
    card = render([shown(number, plan=long) for number in range(1, 5)])
    texts(card)
    assert "apr.approve" not in json.dumps(buttons(card))
    assert "It cannot be approved here" in json.dumps(card.blocks)


def _people(count: int) -> list[dict[str, str]]:
    return [{"team_id": "T0SHOP", "user_id": f"U0P{n:03}", "name": f"Person {n}"} for n in range(count)]


STATES = st.sampled_from(["pending", "approved", "denied", "cancelled", "expired", "void", "superseded"])
REQUESTS = st.lists(
    st.builds(
        lambda state, parameters, votes, hold: (state, parameters, votes, hold),
        STATES,
        st.dictionaries(st.text("abcdefgh", min_size=1, max_size=8), st.text(max_size=200), max_size=4),
        st.integers(0, 6),
        st.text(max_size=300),
    ),
    min_size=1,
    max_size=6,
)


@given(REQUESTS)
def test_what_once_fitted_stays_whole_and_approvable_whatever_becomes_of_it(
    drawn: list[tuple[Any, dict[str, str], int, str]],
) -> None:
    new = [shown(n, plan={"parameters": parameters, "quorum": 9}) for n, (_, parameters, _, _) in enumerate(drawn, 1)]
    if not fits(new):
        return
    later = []
    for each, (state, _, count, hold) in zip(new, drawn, strict=True):
        votes = tuple(VoteLine(LEE, "L" * 60, "approve", NOW) for _ in range(count))
        became = replace(each.approval, state=state, decided_at=NOW, outcome="o" * 300)
        later.append(replace(each, approval=became, view=ApprovalView(votes=votes, hold=hold)))
    card = render(later)
    text = texts(card)
    assert "left out" not in text
    for each in later:
        if each.approval.state == "pending":
            assert "apr.approve" in buttons(card)[each.approval.name]
            for key, value in each.record["parameters"].items():
                assert json.dumps(f"{name(key)} = {exact(value)}", ensure_ascii=False)[1:-1] in text
            assert f"shop/{each.record['targets'][0]['name']}" in text


def test_however_much_there_is_no_buttons_are_left_out() -> None:
    long = {"effect": ["x" * 290] * 6, "undo": ["y" * 290] * 6}
    card = render([shown(number, plan=long) for number in range(1, 8)])
    texts(card)
    assert list(buttons(card)) == [f"A-{number}" for number in range(1, 8)]
