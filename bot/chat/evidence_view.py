"""The modal that shows an incident's evidence: each piece with its source, query and time, and its text as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.chat import rich_text as rich
from bot.chat.card import context, plain_text, trusted
from bot.chat.mrkdwn import date, lines, plain
from bot.domain.evidence import Evidence

CALLBACK = "inc.evidence"

# docs "Modals": 100 blocks, 250 KB as a whole. Two blocks an item; the texts together stay far below.
_ITEMS = 40
_ITEM_TEXT = 3_000
_ALL_TEXT = 40_000


def loading() -> dict[str, Any]:
    """Return the view to open at once, while the evidence is read."""
    return _modal("", [rich.block(rich.section(rich.text("⏳ Reading the evidence…")))])


def render(name: str, evidence: Sequence[Evidence]) -> dict[str, Any]:
    """Return the view with all evidence of the incident ``name``; what is too long is cut and says so."""
    if not evidence:
        return _modal(name, [rich.block(rich.section(rich.text("No evidence has been collected yet.")))])
    blocks: list[dict[str, Any]] = []
    room = _ALL_TEXT
    for item in evidence[:_ITEMS]:
        text = lines(item.text).strip("\n")
        shown = text[: min(_ITEM_TEXT, room)]
        room -= len(shown)
        parts = [rich.section(rich.bold(f"{plain(item.id, 10)}  {plain(item.title, 200)}"))]
        if item.error is not None:
            parts.append(rich.section(rich.text(f"⚠️ Could not be collected: {plain(item.error, 500)}")))
        elif shown:
            parts.append(rich.preformatted(shown))
        if len(shown) < len(text):
            parts.append(rich.section(rich.italic(f"({len(text) - len(shown):,} more characters are not shown here)")))
        blocks.append(rich.block(*parts))
        where = plain(f"{item.source} {item.query}", 500) or "no source recorded"
        blocks.append(context(plain_text(where), trusted(date(item.collected_at, "{date_short_pretty} {time_secs}"))))
    if len(evidence) > _ITEMS:
        blocks.append(rich.block(rich.section(rich.text(f"and {len(evidence) - _ITEMS} more pieces"))))
    return _modal(name, blocks)


def failed(sentence: str) -> dict[str, Any]:
    """Return the view that says why the evidence cannot be shown."""
    return _modal("", [rich.block(rich.section(rich.text(f"⚠️ {plain(sentence, 500)}")))])


def _modal(name: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain_text(plain(f"Evidence {name}", 24)),
        "close": plain_text("Close"),
        "blocks": blocks,
    }
