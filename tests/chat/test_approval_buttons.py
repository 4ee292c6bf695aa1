"""What the buttons of a request carry, and what is read when one is pressed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.approval_buttons import button_value, decision_buttons, read_button_value, read_choice
from bot.chat.approval_card import render
from tests.chat.samples import LEE, approval, record
from tests.chat.test_approval_card import NOTHING, buttons


def test_approve_restates_its_object_and_both_buttons_carry_request_and_digest() -> None:
    plan = record()
    request = approval(plan)
    row = buttons(render(request, plan, NOTHING))
    assert set(row) == {"apr.approve", "apr.deny", "apr.more"}
    asks = row["apr.approve"]["confirm"]
    assert asks["title"]["text"] == "Approve A-77?"
    assert asks["text"]["text"] == ("Roll back a Deployment: shop/checkout, in cluster PROD. It runs at once.")
    assert row["apr.deny"]["text"]["text"] == "Deny…"
    for action in ("apr.approve", "apr.deny"):
        assert read_button_value(row[action]["value"]) == ("a77", request.digest)
    choices = [read_choice(each["value"]) for each in row["apr.more"]["options"]]
    assert choices == [("revoke", row["apr.approve"]["value"]), ("edit", row["apr.approve"]["value"])]


@pytest.mark.parametrize(
    "value", ["", "a77", "a77.", "a77." + "0" * 63, "a77." + "g" * 64, "a b." + "0" * 64, "." + "0" * 64]
)
def test_a_foreign_button_value_is_not_read(value: str) -> None:
    assert read_button_value(value) is None


def test_what_cannot_be_approved_can_still_be_stopped() -> None:
    plan = record()
    row = decision_buttons(approval(plan), plan, approvable=False)["elements"]
    assert [each["action_id"] for each in row] == ["apr.deny", "apr.more"]


def test_only_what_somebody_asked_for_can_be_cancelled() -> None:
    plan = record()
    for requester, offered in ((None, False), (LEE, True)):
        row = decision_buttons(approval(plan, requester=requester), plan, approvable=True)["elements"]
        choices = [read_choice(each["value"])[0] for each in row[-1]["options"]]
        assert ("cancel" in choices) == offered


@given(st.text(max_size=120))
def test_whatever_is_read_is_what_a_button_carries(value: str) -> None:
    read = read_button_value(value)
    assert read is None or ".".join(read) == value
    plan = record()
    assert read_button_value(button_value(approval(plan))) == ("a77", approval(plan).digest)
