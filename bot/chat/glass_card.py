"""The message that the glass was broken: in the channel, beside all threads, with the review that it opens."""

from __future__ import annotations

from bot.chat import rich_text as rich
from bot.chat.approval_buttons import button_value
from bot.chat.approval_card import VoteLine
from bot.chat.card import Card, actions, button
from bot.chat.mrkdwn import in_cluster, plain, push
from bot.domain.approval import Approval

REVIEW_ACTION = "apr.review"

_SENTENCE = 700


def render(approval: Approval, what: str, sentence: str, broken: VoteLine, reviewed: VoteLine | None) -> Card:
    """Render a break-glass. ``sentence`` says who broke the glass, over how many approvals, and why; ``what`` is what
    runs. Until it is ``reviewed`` it has the button that asks for a word on it."""
    head = f"The glass was broken for {approval.name}"
    about = f"{plain(what, 300)}{in_cluster(approval.cluster)}"
    said = [
        rich.section(rich.text("🚨 "), rich.bold(head), rich.text(": "), rich.text(about)),
        rich.section(
            rich.text(f"{plain(sentence, _SENTENCE)} ({plain(broken.person.user_id, 20)}) · "), rich.date(broken.at)
        ),
    ]
    if reviewed is not None:
        who = f"{plain(reviewed.name, 60) or 'unnamed'} ({plain(reviewed.person.user_id, 20)})"
        spans = [rich.bold("Reviewed"), rich.text(f" by {who}: “{plain(reviewed.reason, _SENTENCE)}” · ")]
        closed = rich.section(*spans, rich.date(reviewed.at))
        return Card(push(f"🚨 {head}, and reviewed by {reviewed.name}: {what}"), (rich.block(*said, closed),))
    waits = "An approver who neither asked for it nor broke the glass closes this with a word on it."
    still = rich.section(rich.bold("Not yet reviewed."), rich.text(f" {waits}"))
    review = button("Review…", REVIEW_ACTION, button_value(approval), spoken=f"Review the break-glass {approval.name}")
    blocks = (rich.block(*said, still), actions([review], block_id=approval.name))
    return Card(push(f"🚨 {head}, not yet reviewed: {sentence} ({what})"), blocks)
