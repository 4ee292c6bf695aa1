"""Comments at lines: the few findings that are worth one, as the one review that a head commit gets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.chat.github_markdown import code, exact_fence, fenced, prose, within
from bot.chat.review_words import SIGNS, counts, sign, verdict
from bot.domain.review import Finding, Review

MAX_BODY: Final = 65_536
"""Characters of a comment that GitHub takes; bytes are counted here, which are never fewer."""
MOST: Final = 5
"""Comments that one push may bring."""
_A_RULE: Final = 2
"""Comments of one rule: where it tells more, the comment of the whole pull request lists them."""
_WHY = 800
_MARK = "<!-- signoff:{} {} -->"
_FINDING_MARK = re.compile(_MARK.format("finding", "([0-9a-f]{16})"))


def chosen(review: Review, most: int = MOST) -> tuple[Finding, ...]:
    """Return the open findings to comment on now, the weightiest first: none that was said, none that is a guess, and
    none about a file as a whole, for which GitHub has no line."""
    rules: Counter[str] = Counter()
    picked = []
    for finding in sorted(review.open, key=lambda finding: -finding.weight):
        if finding.said or not finding.line or finding.severity == "low" or finding.confidence == "low":
            continue
        if finding.rule:
            rules[finding.rule] += 1
            if rules[finding.rule] > _A_RULE:
                continue
        picked.append(finding)
    return tuple(picked[:most])


def said(review: Review, findings: Iterable[Finding]) -> Review:
    """Return the review with ``findings`` marked as commented on, once GitHub has taken the comments."""
    names = {finding.fingerprint for finding in findings}
    marked = (replace(known, said=known.said or known.fingerprint in names) for known in review.findings)
    return replace(review, findings=tuple(marked))


def comments(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return the ``comments`` of ``POST /repos/{owner}/{repo}/pulls/{number}/reviews``."""
    return [_comment(finding) for finding in findings]


def body(review: Review, findings: Sequence[Finding]) -> str:
    """Return the review's own text, which begins with the mark that ``is_of`` finds again."""
    more = len(review.open) - len(findings)
    rest = f" {more} more in the comment on this pull request." if more > 0 else ""
    return (
        f"{_MARK.format('review', review.head_sha)}\n{sign(review)} Signoff: {verdict(review)}. {counts(review)}.{rest}"
    )


def is_of(text: str, head_sha: str) -> bool:
    """Whether ``text`` is the body of our review of that head. Who wrote it must be checked as well."""
    return text.startswith(_MARK.format("review", head_sha))


def fingerprint_of(text: str) -> str | None:
    """Return the fingerprint of the finding that a comment of ours is about, or None. Check who wrote it as well."""
    found = _FINDING_MARK.match(text)
    return found[1] if found else None


def _comment(finding: Finding) -> dict[str, Any]:
    made: dict[str, Any] = {
        "path": finding.path,
        "side": finding.side,
        "line": finding.line,
        "body": _text(finding),
    }
    if finding.start_line != finding.line:
        made |= {"start_line": finding.start_line, "start_side": finding.side}
    return made


def _text(finding: Finding) -> str:
    kind = f" · {code(finding.rule)}" if finding.rule else ""
    sure = "" if finding.confidence == "high" else f", {finding.confidence} confidence"
    heading = f"{SIGNS[finding.severity]} **{finding.severity}** {finding.category.replace('-', ' ')}{sure}{kind}"
    suggestion = () if finding.suggestion is None else (exact_fence(finding.suggestion, "suggestion"),)
    quote = () if suggestion else (fenced(finding.quote),)
    return within(
        MAX_BODY,
        f"{_MARK.format('finding', finding.fingerprint)}\n{heading}",
        prose(finding.why, _WHY),
        *quote,
        *suggestion,
        f"<sub>Not a problem? Comment {code(f'@signoff dismiss {finding.id} <why>')}</sub>",
    )
