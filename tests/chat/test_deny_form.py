import json

import pytest

from bot.chat import deny_form
from bot.chat.deny_form import Denial
from bot.sandbox.slack.blocks import problems_of_blocks

VALUE = "a77." + "0f" * 32


def answered(text: object) -> dict[str, object]:
    return {"state": {"values": {"reason": {"text": {"type": "plain_text_input", "value": text}}}}}


def test_the_form_asks_for_a_reason_and_remembers_what_it_is_about() -> None:
    view = deny_form.render("A-77", VALUE, "C0INCIDENTS")
    assert problems_of_blocks(view["blocks"], "modal") == []
    assert view["title"]["text"] == "Deny A-77"
    assert "submit" in view
    assert deny_form.opened_for(view) == Denial("a77", "0f" * 32, "C0INCIDENTS")


@pytest.mark.parametrize("kept", ["", "{}", "[]", "7", "null", json.dumps({"value": "x", "channel": "C"}), "{broken"])
def test_a_form_of_somebody_else_is_not_read(kept: str) -> None:
    assert deny_form.opened_for({"private_metadata": kept}) is None


def test_the_reason_is_one_bounded_line_without_hidden_characters() -> None:
    assert deny_form.reason(answered(" not\nnow \u202e")) == "not now"
    assert len(deny_form.reason(answered("x" * 3000))) == 500


@pytest.mark.parametrize("view", [answered("  a \n"), answered(None), answered(7), {}, {"state": None}])
def test_what_is_no_reason_is_empty(view: dict[str, object]) -> None:
    assert deny_form.reason(view) == ""
