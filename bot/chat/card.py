"""A card: what one Slack message says, as plain data, with the small blocks that every card shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Block = dict[str, Any]

# docs "Reference: blocks" and "Reference: block elements".
BLOCKS = 50
BUTTON_TEXT = 75
BUTTON_VALUE = 2000
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONTEXT_TEXT = 3000
# Slack bounds the text over all blocks and publishes no number: bolt-js #2509 saw refusals from 11,341 characters on.
CARD_TEXT = 10_000


@dataclass(frozen=True, slots=True)
class Card:
    """One message. ``text`` is the push line, already escaped; ``broadcast`` shows a reply in the channel as well."""

    text: str
    blocks: tuple[Block, ...] = ()
    broadcast: bool = False

    def payload(self) -> dict[str, Any]:
        """Return the card as the plain JSON that the outbox stores and sends."""
        payload: dict[str, Any] = {"text": self.text, "blocks": list(self.blocks)}
        if self.broadcast:
            payload["reply_broadcast"] = True
        return payload


@dataclass(frozen=True, slots=True)
class FileAttachment:
    """A text file that goes beside a card, into the same thread. ``sha256`` is of its UTF-8 bytes."""

    filename: str
    title: str
    content: str
    sha256: str

    def payload(self) -> dict[str, Any]:
        """Return the file as the plain JSON that the outbox stores and sends."""
        return {"filename": self.filename, "title": self.title, "content": self.content, "text": self.title}


def plain_text(value: str) -> dict[str, Any]:
    """Return a plain_text object: shown literally, colon codes included."""
    return {"type": "plain_text", "text": value, "emoji": False}


def context(*elements: dict[str, Any]) -> Block:
    """Return the small grey line."""
    return {"type": "context", "elements": list(elements)}


def trusted(value: str) -> dict[str, Any]:
    """Return mrkdwn for Signoff's own words, numbers and times. Never for text from outside."""
    return {"type": "mrkdwn", "text": value, "verbatim": True}


def divider() -> Block:
    """Return the line between two things that one message says."""
    return {"type": "divider"}


def actions(buttons: Sequence[Mapping[str, Any]], *, block_id: str | None = None) -> Block:
    """Return a row of buttons."""
    built: Block = {"type": "actions", "elements": [dict(button) for button in buttons]}
    if block_id is not None:
        built["block_id"] = block_id
    return built


def button(
    label: str,
    action_id: str,
    value: str,
    *,
    style: str | None = None,
    confirm: dict[str, Any] | None = None,
    spoken: str = "",
) -> dict[str, Any]:
    """Return a button; ``spoken`` is what a screen reader says when the label alone is not enough."""
    built: dict[str, Any] = {
        "type": "button",
        "text": {"type": "plain_text", "text": label, "emoji": True},
        "action_id": action_id,
        "value": value,
    }
    if style:
        built["style"] = style
    if confirm:
        built["confirm"] = confirm
    if spoken:
        built["accessibility_label"] = spoken[:75]
    return built


def option(label: str, value: str) -> dict[str, Any]:
    """Return one entry of a menu; at most 75 characters of label and 150 of value."""
    return {"text": plain_text(label), "value": value}


def overflow(action_id: str, options: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a menu behind three dots, for what is rarely done: two to five options."""
    return {"type": "overflow", "action_id": action_id, "options": [dict(each) for each in options]}


def confirm(title: str, text: str, yes: str, no: str, *, style: str = "primary") -> dict[str, Any]:
    """Return the dialog that restates what a click will do."""
    return {
        "title": plain_text(title),
        "text": plain_text(text),
        "confirm": plain_text(yes),
        "deny": plain_text(no),
        "style": style,
    }


def text_length(blocks: Sequence[Mapping[str, Any]]) -> int:
    """Count the characters of all texts in ``blocks``, which Slack bounds for a message."""

    def count(node: Any) -> int:
        if isinstance(node, Mapping):
            own = len(node["text"]) if isinstance(node.get("text"), str) else 0
            return own + sum(count(value) for value in node.values())
        if isinstance(node, (list, tuple)):
            return sum(count(value) for value in node)
        return 0

    return count(list(blocks))
