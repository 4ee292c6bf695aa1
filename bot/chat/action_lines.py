"""What became of the actions that were proposed or asked for, as a list on the card of what they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.chat import rich_text as rich
from bot.chat.mrkdwn import plain

_SHOWN = 4
# What approvals and runs are called in the code, in a reader's words.
_STATES = {
    "pending": "waits for sign-off, see the thread",
    "approved": "approved, about to start",
    "void": "void, nothing ran",
    "expired": "expired, nothing ran",
    "denied": "denied",
    "cancelled": "cancelled by who asked for it",
    "superseded": "replaced by a newer one",
    "starting": "starting",
    "running": "running",
    "verifying": "done, checking whether it helped",
    "succeeded": "it helped",
    "unhelpful": "it ran and did not help",
    "inconclusive": "it ran; whether it helped cannot be told",
    "rolling_back": "what it did is being taken back",
    "failed": "failed",
    "rolled_back": "what it did was taken back",
    "unknown": "UNKNOWN whether it took effect; a person has to look",
}


@dataclass(frozen=True, slots=True)
class ActionLine:
    """What became of one proposal: ``name`` is ``A-77``, ``state`` of its approval or run, ``outcome`` a sentence."""

    name: str
    title: str
    state: str
    outcome: str = ""


def action_lines(lines: Sequence[ActionLine]) -> list[dict[str, object]]:
    """Return the newest of them under their heading; nothing where there is none."""
    items: list[list[rich.Span]] = []
    for line in lines[-_SHOWN:]:
        state = _STATES.get(line.state, plain(line.state, 60))
        spans = [rich.bold(plain(line.name, 20)), rich.text(f" {plain(line.title, 120)}: {state}")]
        if line.outcome:
            spans.append(rich.text(f". {plain(line.outcome, 200)}"))
        items.append(spans)
    return [rich.section(rich.bold("Actions")), rich.bullets(items)] if items else []
