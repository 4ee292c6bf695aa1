"""The shared card: what Signoff proposes for one matter, in one message, each request decided on its own.

A pure function of the stored records, as the card of one request is. What waits is shown whole, in the order of rank;
what is decided takes a few lines. Requests that do not fit together do not share a card.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.chat import approval_card, plan_names
from bot.chat import rich_text as rich
from bot.chat.approval_card import ApprovalView
from bot.chat.card import BLOCKS, CARD_TEXT, Block, Card, divider, text_length
from bot.chat.mrkdwn import push
from bot.domain.approval import Approval

# The rest is for what votes, windows and runs add to a card later.
_TEXT_AT_FIRST = CARD_TEXT * 3 // 4
_BLOCKS_AT_FIRST = BLOCKS * 3 // 4

_UNREADABLE = "A request that was here can no longer be read. It is reported, and nothing of it can run."


@dataclass(frozen=True, slots=True)
class Shown:
    """One request of a card, with what happened to it so far."""

    approval: Approval
    record: Mapping[str, Any]
    view: ApprovalView
    full_diff: str


def render(requests: Sequence[Shown | None]) -> Card:
    """Render the requests of one message, in their order. None is one that cannot be read any more."""
    blocks = _blocks(requests, room=CARD_TEXT)
    if text_length(blocks) > CARD_TEXT:
        blocks = _blocks(requests, room=0)
    readable = sorted(filter(None, requests), key=lambda each: not _pending(each))
    said = " ".join(approval_card.announcement(each.approval, each.record, each.view) for each in readable)
    return Card(
        text=push(said or _UNREADABLE),
        blocks=tuple(approval_card.fitting(blocks)),
        broadcast=any(_pending(each) for each in readable),
    )


def fits(requests: Sequence[Shown | None]) -> bool:
    """Say whether these have room in one message, now and when they are voted on and run."""
    blocks = _blocks(requests, room=CARD_TEXT)
    return len(blocks) <= _BLOCKS_AT_FIRST and text_length(blocks) <= _TEXT_AT_FIRST


def _blocks(requests: Sequence[Shown | None], *, room: int) -> list[Block]:
    blocks = _opening(requests)
    for index, each in enumerate(requests):
        blocks += [divider()] if index else []
        if each is None:
            blocks.append(rich.block(rich.section(rich.text(f"⚠️ {_UNREADABLE}"))))
        elif _pending(each) or len(requests) == 1:
            of = each.approval, each.record, each.view
            blocks += approval_card.whole(*of, full_diff=each.full_diff, room=room)
        else:
            blocks += approval_card.collapsed(each.approval, each.record, each.view)
    return blocks


def _opening(requests: Sequence[Shown | None]) -> list[Block]:
    """Say that there are several, and which button is whose."""
    first = next(filter(None, requests), None)
    if len(requests) == 1 or first is None:
        return []
    head = f"{len(requests)} actions are proposed for {plan_names.matter_name(first.record)}."
    each = " Each is decided on its own, with the buttons right below it."
    return [rich.block(rich.section(rich.bold(head), rich.text(each)))]


def _pending(each: Shown) -> bool:
    return each.approval.state == "pending"
