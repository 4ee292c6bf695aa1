"""What Slack is told of pull requests: a line about a risky one, and why one that was asked for has no review."""

from __future__ import annotations

from bot.chat import rich_text as rich
from bot.chat.card import Card
from bot.chat.mrkdwn import plain, push
from bot.chat.review_words import SIGNS, counts, sign, verdict, web
from bot.domain.review import SEVERITIES, PullRequest, Review, Severity

_TITLE = 150
_SUMMARY = 300


def is_risky(review: Review, least: Severity = "high") -> bool:
    """Whether a channel that wants to hear of risks from ``least`` on hears of this one."""
    return SEVERITIES.index(review.risk) <= SEVERITIES.index(least)


def review_line(pull_request: PullRequest, review: Review, *, merged: bool = False, closed: bool = False) -> Card:
    """Return the line: risk, link, title, verdict. Edited in place when a push, a dismissal or a merge changes it."""
    name = pull_request.name
    title = plain(pull_request.title, _TITLE)
    end = "merged" if merged else "closed" if closed else verdict(review)
    address = web(pull_request)
    linked = rich.link(address, name) if address else rich.bold(name)
    grave = SIGNS[review.risk] if not merged and not closed else sign(review)
    return Card(
        text=push(f"Risk {review.risk} in {name}: {pull_request.title}"),
        blocks=(
            rich.block(
                rich.section(
                    rich.text(f"{grave} Risk {review.risk}: "),
                    linked,
                    rich.text(f" {title} · {counts(review)} · {end}"),
                ),
                rich.section(rich.text(plain(review.summary, _SUMMARY))),
            ),
        ),
    )


def not_reviewed(name: str, why: str) -> Card:
    """Return what who asked for a review reads where there is none."""
    said = plain(f"{name} was not reviewed, though you asked for it: {why.rstrip('.')}.", _SUMMARY)
    return Card(text=push(said), blocks=(rich.block(rich.section(rich.text(said))),))
