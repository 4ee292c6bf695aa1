"""Slack's rich_text: its look comes from structure, so that no character of a text becomes markup, link or mention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.chat.mrkdwn import utc

Span = dict[str, Any]
Block = dict[str, Any]


def text(value: str) -> Span:
    """Return plain text, shown literally."""
    return {"type": "text", "text": value}


def bold(value: str) -> Span:
    """Return bold text, shown literally."""
    return {"type": "text", "text": value, "style": {"bold": True}}


def italic(value: str) -> Span:
    """Return italic text, shown literally."""
    return {"type": "text", "text": value, "style": {"italic": True}}


def code(value: str) -> Span:
    """Return text in the code style, shown literally."""
    return {"type": "text", "text": value, "style": {"code": True}}


def user(user_id: str) -> Span:
    """Return a mention, which notifies. Only for ids from the configuration, never from a payload or a model."""
    return {"type": "user", "user_id": user_id}


def link(address: str, label: str) -> Span:
    """Return a link. Only for addresses that were checked, never for what a payload or a model wrote."""
    return {"type": "link", "url": address, "text": label}


def date(instant: int, form: str = "{date_short_pretty} {time}") -> Span:
    """Return a time (microseconds) in the reader's own zone, with UTC where it cannot be shown."""
    return {"type": "date", "timestamp": instant // 1_000_000, "format": form, "fallback": utc(instant)}


def section(*spans: Span) -> dict[str, Any]:
    """Return one paragraph. Empty texts, which Slack refuses, are left out."""
    return {"type": "rich_text_section", "elements": [span for span in spans if span.get("text") != ""]}


def preformatted(value: str) -> dict[str, Any]:
    """Return a fixed-width box."""
    return {"type": "rich_text_preformatted", "elements": [text(value)]}


def quote(*spans: Span) -> dict[str, Any]:
    """Return a paragraph with a bar beside it."""
    return {"type": "rich_text_quote", "elements": [span for span in spans if span.get("text") != ""]}


def bullets(items: Sequence[Sequence[Span]]) -> dict[str, Any]:
    """Return a bullet list, one paragraph an item."""
    return {"type": "rich_text_list", "style": "bullet", "elements": [section(*item) for item in items]}


def block(*parts: dict[str, Any], block_id: str | None = None) -> Block:
    """Put paragraphs, boxes and lists together to one block."""
    built: Block = {"type": "rich_text", "elements": list(parts)}
    if block_id is not None:
        built["block_id"] = block_id
    return built
