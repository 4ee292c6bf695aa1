"""Something that names the workload was merged, pushed or deployed shortly before the alert."""

from __future__ import annotations

from collections.abc import Iterator

from bot.analysis import plain
from bot.analysis.facts import CodeChange, Facts
from bot.analysis.suspicion import Depth, Remedy, Suspicion, cite

SOON_SECONDS = 2 * 3600
NAMES_IT = 0.7
_GRAVE = ("critical", "high")


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect the likeliest change, if it came soon before and names the workload; surer where its diff is risky."""
    top = next((change for change in facts.code_changes if _likely(change)), None)
    if top is None:
        return
    risky = f" It is risky: {plain.line(top.risk_says, 200)}." if top.risk in _GRAVE else ""
    remedies: tuple[Remedy, ...] = ()
    if top.merged:
        repository, _, number = top.name.partition("#")
        remedies = (Remedy("revert-pull-request", {"repository": repository, "pull_request": int(number)}),)
    when = f"{max(1, top.seconds_before // 60)} min before the alert"
    yield Suspicion(
        category="bad-rollout",
        headline=f"{top.name} was {top.verb} {when}",
        statement=f"{top.name} was {top.verb} {when}, and {plain.line(top.why, 250)}.{risky}",
        confidence="medium" if top.risk in _GRAVE else "low",
        depth=Depth.CIRCUMSTANCE,
        evidence=cite(top.evidence),
        remedies=remedies,
        lasting=top.risk in _GRAVE,
        unknowns=(f"Whether {top.name} is what runs there now.",),
    )


def _likely(change: CodeChange) -> bool:
    return change.match >= NAMES_IT and change.seconds_before <= SOON_SECONDS
