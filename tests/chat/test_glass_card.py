"""The message that the glass was broken says what was released, by whom and why, and whether that was reviewed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.chat import glass_card
from bot.chat.approval_buttons import read_button_value
from bot.chat.approval_card import VoteLine
from bot.chat.card import Card
from bot.domain.approval import Person
from bot.sandbox.slack.blocks import problems_of_blocks
from tests.chat.samples import LEE, MINUTE, NOW, approval, record

A77 = approval(record())
WHAT = "Roll back a Deployment: shop/checkout (INC-142)"
SENTENCE = "Lee broke the glass for A-77, with 1 of 2 approvals: the shop is down"
BROKEN = VoteLine(LEE, "Lee", "break", NOW, "the shop is down")
REVIEWED = VoteLine(Person("T0SHOP", "U0PRIYA"), "Priya", "reviewed", NOW + 60 * MINUTE, "right, nobody answered")


def said(card: Card) -> str:
    assert problems_of_blocks(list(card.blocks), "message") == []

    def texts(node: Any) -> str:
        if isinstance(node, dict):
            return str(node.get("text", "")) if node.get("type") == "text" else "".join(map(texts, node.values()))
        return "".join(map(texts, node)) if isinstance(node, list | tuple) else ""

    return texts(list(card.blocks))


def buttons(card: Card) -> list[dict[str, Any]]:
    return [each for block in card.blocks if block["type"] == "actions" for each in block["elements"]]


def test_until_somebody_reviews_it_it_asks_for_that() -> None:
    card = glass_card.render(A77, WHAT, SENTENCE, BROKEN, None)
    text = said(card)
    assert "The glass was broken for A-77: Roll back a Deployment: shop/checkout (INC-142), in cluster PROD" in text
    assert f"{SENTENCE} (U0LEE)" in text
    assert "Not yet reviewed. An approver who neither asked for it nor broke the glass" in text
    assert card.text.startswith("🚨 The glass was broken for A-77, not yet reviewed: Lee broke the glass")
    (review,) = buttons(card)
    assert review["action_id"] == glass_card.REVIEW_ACTION
    assert read_button_value(review["value"]) == (A77.id, A77.digest)


def test_when_it_is_reviewed_it_says_by_whom_and_with_which_word_and_asks_no_more() -> None:
    card = glass_card.render(A77, WHAT, SENTENCE, BROKEN, REVIEWED)
    assert "Reviewed by Priya (U0PRIYA): “right, nobody answered”" in said(card)
    assert "Not yet reviewed" not in said(card)
    assert buttons(card) == []
    assert "reviewed by Priya" in card.text


def test_what_people_wrote_is_text() -> None:
    hostile = "<!channel> *now* <https://evil.example|here>"
    card = glass_card.render(A77, WHAT, hostile, BROKEN, replace(REVIEWED, name=hostile, reason=hostile))
    assert problems_of_blocks(list(card.blocks), "message") == []
    assert "<!channel>" not in card.text
    assert {part["type"] for block in card.blocks for part in block.get("elements", ())} == {"rich_text_section"}
