"""The check run that carries a review's verdict beside the merge button."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

from bot.chat.github_markdown import prose, within
from bot.chat.review_words import analyst, counted, counts, verdict, web
from bot.domain.review import PullRequest, Review

NAME: Final = "Signoff"
_MOST: Final = 65_535
"""Characters that GitHub takes of an output's summary; bytes are counted here."""

_GRAVITY: Final = ("blocker", "attention", "partial", "clear")
Conclusion = Literal["success", "neutral", "failure"]


def check_run(pull_request: PullRequest, review: Review, *, blocking: bool) -> dict[str, Any]:
    """Return the body of ``POST /repos/{owner}/{repo}/check-runs``, completed.

    It fails for a blocker only, and only where the repository's policy wants that (``blocking``): a reviewer that is
    wrong must not stand in the way of those who did not ask for it.
    """
    unread = f"Not all was read: {counted(len(review.unread) + review.unlisted, 'file')}."
    made: dict[str, Any] = {
        "name": NAME,
        "head_sha": review.head_sha,
        "status": "completed",
        "conclusion": conclusion(review, blocking=blocking),
        "external_id": f"signoff:{review.head_sha}",
        "output": {
            "title": f"Risk {review.risk}: {counts(review)}",
            "summary": within(
                _MOST,
                f"Signoff: {verdict(review)}.",
                prose(review.summary, 600),
                unread if review.unread or review.unlisted else "",
                prose(analyst(review), 300),
            ),
        },
    }
    if web(pull_request):
        made["details_url"] = web(pull_request)
    return made


def gravest(reviewed: Iterable[tuple[PullRequest, Review]]) -> tuple[PullRequest, Review]:
    """Return the one to show of those that have one head: a check run belongs to a commit, so that a second pull
    request, into a branch where little is left to say of it, must not put its verdict in place of the first one's."""
    return min(reviewed, key=lambda one: _GRAVITY.index(one[1].verdict))


def conclusion(review: Review, *, blocking: bool) -> Conclusion:
    """Return GitHub's word for the verdict."""
    if review.verdict == "blocker" and blocking:
        return "failure"
    return "success" if review.verdict == "clear" else "neutral"
