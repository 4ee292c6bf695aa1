import json

import pytest

from bot.chat import reason_form
from bot.chat.reason_form import OpenedFor, Reasoned
from bot.sandbox.slack.blocks import problems_of_blocks

VALUE = "a77." + "0f" * 32


def answered(text: object) -> dict[str, object]:
    return {"state": {"values": {"reason": {"text": {"type": "plain_text_input", "value": text}}}}}


@pytest.mark.parametrize(
    ("decision", "title"), [("deny", "Deny A-77"), ("break", "Break glass A-77"), ("reviewed", "Review A-77")]
)
def test_the_form_asks_for_a_reason_and_remembers_what_it_is_about(decision: Reasoned, title: str) -> None:
    view = reason_form.render(decision, "A-77", VALUE, "C0INCIDENTS")
    assert problems_of_blocks(view["blocks"], "modal") == []
    assert view["title"]["text"] == title
    assert len(view["submit"]["text"]) <= 24
    assert reason_form.opened_for(view) == OpenedFor(decision, "a77", "0f" * 32, "C0INCIDENTS")
    assert reason_form.without_reason(decision).startswith("Write a few words")


def test_the_longest_name_fits_into_the_title() -> None:
    for decision in reason_form.CALLBACKS:
        assert len(reason_form.render(decision, "A-999999999", VALUE, "C1")["title"]["text"]) <= 24
        assert reason_form.render(decision, "", VALUE, "C1")["title"]["text"].strip()


@pytest.mark.parametrize("kept", ["", "{}", "[]", "7", "null", json.dumps({"value": "x", "channel": "C"}), "{broken"])
def test_a_form_of_somebody_else_is_not_read(kept: str) -> None:
    assert reason_form.opened_for({"private_metadata": kept, "callback_id": "apr.deny"}) is None


@pytest.mark.parametrize("callback", ["", "apr.approve", "deny", None])
def test_nor_one_whose_decision_is_not_known(callback: str | None) -> None:
    kept = json.dumps({"value": VALUE, "channel": "C1"})
    assert reason_form.opened_for({"private_metadata": kept, "callback_id": callback}) is None


def test_the_reason_is_one_bounded_line_without_hidden_characters() -> None:
    assert reason_form.reason(answered(" not\nnow \u202e")) == "not now"
    assert len(reason_form.reason(answered("x" * 3000))) == 500


@pytest.mark.parametrize("view", [answered("  a \n"), answered(None), answered(7), {}, {"state": None}])
def test_what_is_no_reason_is_empty(view: dict[str, object]) -> None:
    assert reason_form.reason(view) == ""
