"""The rule-based analyst: every failure mode looks at the facts, and what they suspect is ranked into one triage.

It fills the same schema as the model, from the same evidence, and calls nothing; so no alert goes unanswered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bot.analysis import facts as evidence_facts
from bot.analysis import plain
from bot.analysis.check import (
    MAX_CAUSES,
    MAX_PROPOSALS,
    MAX_UNKNOWNS,
    STATEMENT_CHARACTERS,
    SUMMARY_CHARACTERS,
    objection,
)
from bot.analysis.facts import Facts
from bot.analysis.failure_modes import (
    crash_loop,
    dependency,
    failed_job,
    failed_workflow,
    image_pull,
    logged_errors,
    merged_change,
    missing_configuration,
    node,
    noise,
    out_of_memory,
    probe,
    recent_change,
    refused_pods,
    saturation,
    scheduling,
    slow_operations,
    start_error,
    storage,
    stuck_rollout,
)
from bot.analysis.inventory import inventory
from bot.analysis.offers import RunbookOffer
from bot.analysis.suspicion import Suspicion
from bot.domain.alert import Alert
from bot.domain.evidence import Evidence
from bot.domain.incident import Incident
from bot.domain.triage import Cause, Proposal, Severity, Triage

ANALYST = "rules"

FAILURE_MODES: tuple[Callable[[Facts], Iterable[Suspicion]], ...] = (
    noise.suspect,
    image_pull.suspect,
    missing_configuration.suspect,
    start_error.suspect,
    out_of_memory.suspect,
    scheduling.suspect,
    storage.suspect,
    refused_pods.suspect,
    node.suspect,
    dependency.suspect,
    crash_loop.suspect,
    failed_job.suspect,
    slow_operations.suspect,
    saturation.suspect,
    probe.suspect,
    stuck_rollout.suspect,
    logged_errors.suspect,
    recent_change.suspect,
    merged_change.suspect,
    failed_workflow.suspect,
)

_SURENESS = {"high": 2, "medium": 1, "low": 0}
_SEVERITY: dict[str, Severity] = {
    "critical": "critical",
    "page": "critical",
    "emergency": "critical",
    "high": "high",
    "error": "high",
    "major": "high",
    "warning": "medium",
    "medium": "medium",
    "minor": "medium",
    "info": "low",
    "low": "low",
    "none": "low",
}


def diagnose(
    incident: Incident,
    alerts: Sequence[Alert],
    evidence: Sequence[Evidence],
    offers: Sequence[RunbookOffer],
) -> Triage:
    """Triage an incident by rules alone. Deterministic and total; every cause cites evidence that was read.

    With nothing to go on it says so: category ``unknown``, no cause, and what could be looked at.
    """
    facts = evidence_facts.read(incident, alerts, evidence)
    ranked = _ranked(suspicion for mode in FAILURE_MODES for suspicion in mode(facts))
    top = ranked[0] if ranked else None
    sure = top is not None and top.confidence != "low"
    return Triage(
        severity=(top.severity if top else None) or _severity(facts),
        category=top.category if top and sure else "unknown",
        summary=plain.line(_summary(facts, top), SUMMARY_CHARACTERS),
        causes=_causes(ranked),
        unknowns=_unknowns(facts, ranked),
        proposals=_proposals(ranked, facts, offers),
        analyst=ANALYST,
    )


def _ranked(suspicions: Iterable[Suspicion]) -> list[Suspicion]:
    """Order by sureness and depth, and leave out what a likelier one says already."""
    ranked: list[Suspicion] = []
    for suspicion in sorted(suspicions, key=lambda s: (-_SURENESS[s.confidence], -s.depth)):
        echoed = suspicion.echo and any(suspicion.echo in likelier.statement for likelier in ranked)
        if not echoed and all(suspicion.statement != likelier.statement for likelier in ranked):
            ranked.append(suspicion)
    return ranked


def _causes(ranked: Sequence[Suspicion]) -> tuple[Cause, ...]:
    return tuple(
        Cause(plain.line(suspicion.statement, STATEMENT_CHARACTERS), suspicion.confidence, suspicion.evidence)
        for suspicion in ranked
        if suspicion.evidence
    )[:MAX_CAUSES]


def _proposals(ranked: Sequence[Suspicion], facts: Facts, offers: Sequence[RunbookOffer]) -> tuple[Proposal, ...]:
    """Propose what helps the likeliest cause that has a remedy at all, if it is on offer and its objects exist; and
    beside it what lasts."""
    seen = inventory(facts)
    by_id = {offer.id: offer for offer in offers}
    found: list[Proposal] = []
    for suspicion in ranked:
        if found and not suspicion.lasting:
            continue
        for remedy in suspicion.remedies:
            offer = by_id.get(remedy.runbook)
            if offer and suspicion.evidence and objection(offer, remedy.parameters, seen) is None:
                found.append(Proposal(offer.id, dict(remedy.parameters), suspicion.evidence))
    return tuple(found[:MAX_PROPOSALS])


def _summary(facts: Facts, top: Suspicion | None) -> str:
    incident = facts.incident
    if top is None:
        return f"{facts.label}: no confident cause. The alert says: {incident.summary or incident.title}"
    if not top.evidence:
        return top.headline
    where = f"{facts.label} ({facts.namespace})" if facts.namespace else facts.label
    return f"{where}: {'no confident cause; ' if top.confidence == 'low' else ''}{top.headline}"


def _unknowns(facts: Facts, ranked: Sequence[Suspicion]) -> tuple[str, ...]:
    said = [unknown for suspicion in ranked[:MAX_CAUSES] for unknown in suspicion.unknowns]
    said += [f"{item.id} ({item.kind}) could not be read: {plain.line(item.error, 200)}" for item in facts.failed]
    if not ranked:
        said.append(_nothing_found(facts))
    return tuple(dict.fromkeys(said))[:MAX_UNKNOWNS]


def _nothing_found(facts: Facts) -> str:
    pods = facts.pods
    seen = [
        f"{sum(pod.ready for pod in pods)} of {len(pods)} pods are ready" if pods else "no pod was seen",
        f"{len(facts.events)} events",
        f"{len(facts.logs)} logs without a clear error",
    ]
    return f"The cause: no rule recognises it ({', '.join(seen)}). Metrics and other services were not read."


def _severity(facts: Facts) -> Severity:
    """Take the alert's own word, raised when nothing of the workload is left to serve."""
    said = _SEVERITY.get(facts.incident.severity.lower(), "medium")
    workload = facts.workload
    down = workload is not None and bool(workload.desired) and (workload.ready or workload.available or 0) == 0
    return "high" if down and said in ("medium", "low") else said
