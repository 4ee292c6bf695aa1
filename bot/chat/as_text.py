"""A card as plain text, for a terminal: every word that Slack would show, in the same order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.chat.card import Card

Node = Mapping[str, Any]

# A time in mrkdwn is shown as what it says to clients that cannot.
_TIME = re.compile(r"<!date\^[^|>]*\|([^>]*)>")


def as_text(card: Card) -> str:
    """Return what a card says: paragraphs, boxes indented, buttons in brackets."""
    return "\n".join(line for block in card.blocks for line in _block(block)) + "\n"


def _block(block: Node) -> Iterator[str]:
    match block["type"]:
        case "rich_text":
            for part in block["elements"]:
                yield from _part(part)
            yield ""
        case "actions":
            yield " ".join(f"[{element['text']['text']}]" for element in block["elements"] if "text" in element)
        case "context":
            yield " · ".join(_TIME.sub(r"\1", str(element["text"])) for element in block["elements"])
        case "section":
            yield _TIME.sub(r"\1", str(block["text"]["text"]))
        case _:
            yield ""


def _part(part: Node) -> Iterator[str]:
    match part["type"]:
        case "rich_text_preformatted":
            yield from (f"    {line}" for line in _spans(part).split("\n"))
        case "rich_text_list":
            yield from (f"  - {_spans(item)}" for item in part["elements"])
        case _:
            yield _spans(part)


def _spans(part: Node) -> str:
    return "".join(_span(span) for span in part["elements"])


def _span(span: Node) -> str:
    match span["type"]:
        case "user":
            return f"@{span['user_id']}"
        case "date":
            return str(span["fallback"])
        case "link":
            return f"{span['text']} <{span['url']}>"
        case _:
            return str(span.get("text", ""))
