"""What the model gets to see of a pull request: what people wrote about it, what the rules found, and its diff.

Our own lines stand at the margin. What people wrote begins with ``| ``; of the packed diff, every line of a file begins
with its sign, so nothing in it can pass for a heading of ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bot.analysis import plain
from bot.analysis.review.check import Rejected
from bot.analysis.review.spoken import spoken
from bot.condense.diff.order import Plan
from bot.condense.diff.pack import Packed, pack
from bot.condense.diff.shown import Redact, visible
from bot.condense.risk.rule import SEVERITIES, Risk
from bot.condense.tokens import MARGIN, afford, weigh
from bot.domain.review import PullRequest

_MAX_COMMITS: Final = 30
_MAX_RULES: Final = 25
_MAX_PLACES: Final = 6
_ABOUT_SHARE, _RULES_SHARE = 0.15, 0.15
_FOREIGN: Final = 1.0
_QUOTE: Final = "| "


def build(
    pull_request: PullRequest,
    prepared: Plan,
    redact: Redact,
    *,
    max_tokens: int,
) -> tuple[str, Packed]:
    """Lay out the pull request in at most ``max_tokens`` estimated tokens, margin included; with it the packed diff.

    What people wrote and what the rules found may take 15 % each; all the rest is the diff's.
    """
    about = _about(pull_request, redact, max_tokens * _ABOUT_SHARE / MARGIN)
    rules = _rules(prepared.risks, redact, max_tokens * _RULES_SHARE / MARGIN)
    left = max_tokens - sum(_cost(line) for line in (*about, *rules))
    packed = pack(prepared, max(0, int(left)), redact=redact, cost=_cost)
    return "\n".join((*about, *rules, "", "DIFF", packed.text)), packed


def again(context: str, rejected: Sequence[Rejected], asked: int) -> str:
    """Return ``context`` with what was wrong with an earlier answer of ``asked`` findings; none of its text."""
    said = [f"finding {item.number} {item.why}" for item in rejected]
    return "\n".join(
        (
            context,
            f"YOUR EARLIER ANSWER had {asked} findings. {len(rejected)} could not be verified:",
            *said,
            "Answer once more, with these findings only: copy each quote from the DIFF, or leave the finding out.",
        )
    )


def _about(pull_request: PullRequest, redact: Redact, budget: float) -> list[str]:
    """Return what people wrote, redacted before it is cut, so that no half of a secret remains."""
    title = plain.line(redact(spoken(pull_request.title)), 300)
    branches = plain.line(redact(f"{pull_request.head_branch} into {pull_request.base_branch}"), 300)
    commits = [plain.line(redact(spoken(message)), 200) for message in pull_request.commits[:_MAX_COMMITS]]
    body = redact(spoken(pull_request.body))
    return [
        f"PULL REQUEST {pull_request.name}" + (" from a fork" if pull_request.fork else ""),
        f"{_QUOTE}title: {title}",
        f"{_QUOTE}branches: {branches}",
        *(f"{_QUOTE}commit: {message}" for message in commits if message),
        *(f"{_QUOTE}{line}" for line in afford(body, budget, keep="head").split("\n") if line),
    ]


def _rules(risks: Mapping[str, Sequence[Risk]], redact: Redact, budget: float) -> list[str]:
    """Return what the rules found: each rule once, with the first few of its places."""
    places: dict[str, list[str]] = {}
    about: dict[str, Risk] = {}
    for path, found in risks.items():
        for risk in found:
            if risk.severity != "low":
                about.setdefault(risk.rule, risk)
                side = "LEFT" if risk.sign == "-" else "RIGHT"
                places.setdefault(risk.rule, []).append(f"{path} {side} {risk.line}" if risk.line else path)
    lines = ["", "RULES FOUND" if places else "RULES FOUND nothing"]
    for rule in sorted(about, key=lambda rule: SEVERITIES.index(about[rule].severity))[:_MAX_RULES]:
        more = len(places[rule]) - _MAX_PLACES
        shown = ", ".join(visible(redact(place)) for place in places[rule][:_MAX_PLACES])
        line = f"{about[rule].severity} {rule}: {about[rule].message} At {shown}" + (
            f" and {more} more" if more > 0 else ""
        )
        budget -= _cost(line)
        if budget < 0:
            break
        lines.append(line)
    return lines


def _cost(line: str) -> float:
    """Return what a line and its newline cost, by the tokenizers of the models that are asked."""
    return (weigh(line) + _FOREIGN) * MARGIN
