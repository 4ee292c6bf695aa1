"""A rollout does not get on: its deadline passed, its pods do not become ready, or it was paused and forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from bot.analysis import plain
from bot.analysis.blame import newest_revision
from bot.analysis.facts import Facts
from bot.analysis.suspicion import Depth, Suspicion, cite, quote


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect the rollout of the workload; what keeps its pods from getting ready is for the other modes to say."""
    workload = facts.workload
    if workload is None:
        return
    late = next((c for c in workload.conditions if c.type == "Progressing" and c.status == "False"), None)
    failing = [pod for pod in facts.pods if pod.failing]
    blame = newest_revision(facts, failing) if failing else None
    counts = ", ".join(
        f"{number} {word}"
        for number, word in ((workload.desired, "wanted"), (workload.updated, "updated"), (workload.ready, "ready"))
        if number is not None
    )
    if late or blame:
        how = "is stuck" if late else "does not get on"
        since = f" since revision {blame.revision.number}" if blame else ""
        parts = [f"The rollout of {workload.kind} {workload.name} {how}" + (f" ({counts})." if counts else ".")]
        if late:
            parts.append(f"Its condition says {quote(plain.line(late.message or late.reason, 200))}.")
        if blame:
            parts.append(blame.sentence)
        yield Suspicion(
            category="bad-rollout",
            headline=f"the rollout of {workload.name} {how}{since}",
            statement=" ".join(parts),
            confidence="high" if blame and blame.certain else "medium",
            depth=Depth.CIRCUMSTANCE,
            evidence=cite(
                workload.evidence,
                *(pod.evidence for pod in failing),
                blame.revision.evidence if blame else "",
            ),
            remedies=blame.remedies if blame else (),
            echo=blame.sentence if blame and not late else "",
        )
    if workload.paused and workload.updated is not None and workload.updated != workload.desired:
        yield Suspicion(
            category="bad-rollout",
            headline=f"the rollout of {workload.name} is paused half-way",
            statement=f"The rollout of {workload.kind} {workload.name} is paused half-way ({counts}).",
            confidence="high",
            depth=Depth.CAUSE,
            evidence=cite(workload.evidence),
        )
