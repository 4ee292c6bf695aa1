"""The modal that shows cited log lines as they are, each with the lines around it that the digest has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.chat import rich_text as rich
from bot.chat.card import context, plain_text
from bot.chat.mrkdwn import plain

CALLBACK = "logs.lines"

# docs "Modals": 100 blocks, 250 KB as a whole. Two blocks a line.
_CITED = 30
_AROUND = 3
_LINE = 500
_ALL_TEXT = 40_000


def loading() -> dict[str, Any]:
    """Return the view to open at once, while it is looked whether its person may see the lines."""
    return _modal([rich.block(rich.section(rich.text("⏳ Reading the lines…")))])


def render(
    cited: Sequence[int], shown: Mapping[int, tuple[str, str]], sources: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    """Return the view. ``shown`` maps line numbers to (time, text); ``sources`` are (name, first line)."""
    blocks: list[dict[str, Any]] = []
    room = _ALL_TEXT
    for number in sorted(set(cited) & set(shown))[:_CITED]:
        first = max((first for _, first in sources if first <= number), default=1)
        last = min((first for _, first in sources if first > number), default=number + _AROUND + 1)
        near = range(max(first, number - _AROUND), min(last, number + _AROUND + 1))
        text = "\n".join(_line(at, shown[at], at == number) for at in near if at in shown)[:room]
        if not text:
            break
        room -= len(text)
        name = next((name for name, begin in reversed(sources) if begin == first), "")
        blocks.append(rich.block(rich.section(rich.bold(f"L{number}")), rich.preformatted(text)))
        blocks.append(context(plain_text(plain(" · ".join(filter(None, (name, shown[number][0]))), 300) or "no time")))
    return _modal(blocks or [rich.block(rich.section(rich.text("These lines are no longer kept.")))])


def failed(sentence: str) -> dict[str, Any]:
    """Return the view that says why the lines cannot be shown."""
    return _modal([rich.block(rich.section(rich.text(f"⚠️ {plain(sentence, 500)}")))])


def _line(number: int, shown: tuple[str, str], marked: bool) -> str:
    return f"{'>' if marked else ' '} {number} {plain(shown[1], _LINE)}"


def _modal(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain_text("Cited log lines"),
        "close": plain_text("Close"),
        "blocks": blocks,
    }
