"""Something was rolled out shortly before the alert: no proof, but the first thing that people ask."""

from __future__ import annotations

from collections.abc import Iterator

from bot.analysis import blame
from bot.analysis.error_lines import MARKED, error_lines
from bot.analysis.facts import Facts
from bot.analysis.suspicion import Depth, Suspicion, cite


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect a recent revision; a rollback is a remedy only where logs show errors too."""
    change = blame.recent_change(facts)
    if change is None:
        return
    erring = [log for log in facts.logs if any(line.gravity >= MARKED for line in error_lines(log.text, limit=3))]
    beside = " Its logs show errors." if erring else ""
    yield Suspicion(
        category="bad-rollout",
        headline=f"revision {change.revision.number} was rolled out shortly before the alert",
        statement=f"{change.sentence}{beside}",
        confidence="low",
        depth=Depth.CIRCUMSTANCE,
        evidence=cite(change.revision.evidence, *(log.evidence for log in erring)),
        remedies=change.remedies if erring else (),
        unknowns=("Whether that change has to do with the alert.",),
        echo=f"revision {change.revision.number} (",
    )
