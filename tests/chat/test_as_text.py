"""A card as text says every word of it."""

from __future__ import annotations

from bot.chat import rich_text as rich
from bot.chat.as_text import as_text
from bot.chat.card import Card, actions, button, context, plain_text, trusted

AT = 1_795_255_320_000_000


def test_every_part_of_a_card_is_there_in_order() -> None:
    card = Card(
        text="push",
        blocks=(
            rich.block(
                rich.section(rich.bold("Roll back: "), rich.code("shop/checkout"), rich.user("U0LEE")),
                rich.preformatted("- a\n+ b"),
                rich.bullets([[rich.text("one")], [rich.link("https://x.example", "two")]]),
            ),
            rich.block(rich.section(rich.date(AT))),
            actions([button("Approve", "a", "v"), button("Deny…", "b", "v")]),
            context(trusted("asked <!date^1795255320^{time}|10:02 UTC>"), plain_text("runbook x")),
        ),
    )
    assert as_text(card).splitlines() == [
        "Roll back: shop/checkout@U0LEE",
        "    - a",
        "    + b",
        "  - one",
        "  - two <https://x.example>",
        "",
        rich.date(AT)["fallback"],
        "",
        "[Approve] [Deny…]",
        "asked 10:02 UTC · runbook x",
    ]
