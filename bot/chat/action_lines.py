"""What became of the actions that were proposed or asked for, as a list on the card of what they are about.

What still waits or runs comes before what is over. What has no room is counted and named, with links.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.chat import rich_text as rich
from bot.chat.mrkdwn import plain

_SHOWN = 4
"""Lines there are at least, where there are as many actions."""
_MOST = 8
"""Lines there are at most: what still waits or runs may need more of them than `_SHOWN`."""
_NAMED = 20
WAITING = frozenset({"pending", "approved", "starting", "running", "rolling_back", "verifying", "unknown"})
"""What a request or its run may be in while nothing else needs to be asked for."""
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
    asked_in: str = ""
    """What people call the other matter in which it is asked, "" where it is this one's."""
    address: str = ""
    """Where in Slack its card is, made of what Slack said when it took that."""


def asked(line: ActionLine) -> list[rich.Span]:
    """Say in which other matter it is asked, with a link to its card."""
    if not line.asked_in:
        return []
    where = f"asked in {plain(line.asked_in, 60)}"
    link = rich.link(line.address, where) if line.address else rich.text(where)
    return [rich.text(" ("), link, rich.text(")")]


def said_state(line: ActionLine) -> str:
    """Return what became of it in a reader's words."""
    return _STATES.get(line.state, plain(line.state, 60))


def action_lines(lines: Sequence[ActionLine]) -> list[dict[str, object]]:
    """Return them under their heading, in their order; nothing where there is none."""
    shown = _chosen(lines)
    items: list[list[rich.Span]] = []
    for line in (each for index, each in enumerate(lines) if index in shown):
        spans = [rich.bold(plain(line.name, 20)), *asked(line)]
        spans.append(rich.text(f" {plain(line.title, 120)}: {said_state(line)}"))
        if line.outcome:
            spans.append(rich.text(f". {plain(line.outcome, 200)}"))
        items.append(spans)
    left = [each for index, each in enumerate(lines) if index not in shown]
    if left:
        items.append(_left(left))
    return [rich.section(rich.bold("Actions")), rich.bullets(items)] if items else []


def _chosen(lines: Sequence[ActionLine]) -> frozenset[int]:
    """Return which lines there is room for: what waits or runs first, then the newest."""
    newest = sorted(range(len(lines)), key=lambda index: (lines[index].state not in WAITING, -index))
    waiting = sum(line.state in WAITING for line in lines)
    return frozenset(newest[: min(_MOST, max(_SHOWN, waiting))])


def _left(lines: Sequence[ActionLine]) -> list[rich.Span]:
    """Count what has no line, say how much of that waits, and name it with links; what waits first."""
    waiting = sum(line.state in WAITING for line in lines)
    spans: list[rich.Span] = [rich.text(f"and {len(lines)} more in the thread")]
    if waiting:
        spans.append(rich.bold(f", {waiting} of them not over"))
    order = sorted(lines, key=lambda line: line.state not in WAITING)
    for index, line in enumerate(order[:_NAMED]):
        name = plain(line.name, 20)
        spans.append(rich.text(", " if index else ": "))
        spans.append(rich.link(line.address, name) if line.address else rich.text(name))
    return [*spans, rich.text(", …")] if len(lines) > _NAMED else spans
