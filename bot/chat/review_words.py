"""A review's own words, the same in GitHub and in Slack: verdict, counts, places, and what was not read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from bot.domain.review import Finding, PullRequest, Review, Severity, Verdict

SIGNS: Final[Mapping[Severity, str]] = {"critical": "🔴", "high": "🟠", "medium": "🟡", "low": "⚪"}
_VERDICTS: Final[Mapping[Verdict, tuple[str, str]]] = {
    "blocker": ("⛔", "do not merge this as it is"),
    "attention": ("⚠️", "look at this before it is merged"),
    "partial": ("🔎", "nothing found in what was read"),
    "clear": ("✅", "nothing found"),
}


def sign(review: Review) -> str:
    """Return the emoji of the verdict."""
    return _VERDICTS[review.verdict][0]


def verdict(review: Review) -> str:
    """Return the verdict in words, with a small letter in front."""
    return _VERDICTS[review.verdict][1]


def counts(review: Review) -> str:
    """Say how many findings are open, and how many of them are grave."""
    found = review.open
    grave = sum(finding.severity in ("critical", "high") for finding in found)
    told = counted(len(found), "open finding")
    return f"{told}, {grave} of them grave" if grave else told


def analyst(review: Review) -> str:
    """Say who read it, in words of ours; the model's name is a configured one."""
    if review.analyst != "rules":
        return f"Read by fixed rules and the model {review.analyst}."
    why = review.note.removeprefix("rules, ").removeprefix("rules: ")
    return f"Read by fixed rules alone: {why or 'no model'}."


def counted(number: int, what: str) -> str:
    """Return a number and its noun, in the plural where it must be."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def web(pull_request: PullRequest) -> str:
    """Return the pull request's address, or nothing where that is not what GitHub would call this pull request."""
    expected = rf"https?://[A-Za-z0-9.:-]+/{re.escape(pull_request.repository)}/pull/{pull_request.number}"
    return pull_request.url if re.fullmatch(expected, pull_request.url) else ""


def place(finding: Finding) -> str:
    """Return where a finding stands: ``line 12``, ``lines 12-14``, that it is the removed ones, or that it is
    about the file as a whole."""
    if not finding.line:
        return "the whole file"
    span = (
        f"line {finding.line}" if finding.start_line == finding.line else f"lines {finding.start_line}-{finding.line}"
    )
    return f"removed {span}" if finding.side == "LEFT" else span


def link(pull_request: PullRequest, finding: Finding) -> str:
    """Return the address of a finding's line among the changed files, or nothing without an address to begin with."""
    address = web(pull_request)
    if not address:
        return ""
    name = hashlib.sha256(finding.path.encode("utf-8", "replace")).hexdigest()
    line = f"{'L' if finding.side == 'LEFT' else 'R'}{finding.line}" if finding.line else ""
    return f"{address}/files#diff-{name}{line}"
