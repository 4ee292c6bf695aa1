"""A job gave up: too many of its pods failed, or it took too long."""

from __future__ import annotations

from collections.abc import Iterator

from bot.analysis import plain
from bot.analysis.facts import Facts
from bot.analysis.suspicion import Depth, Suspicion, cite, quote

_REASONS = {
    "BackoffLimitExceeded": "its pods failed as often as its backoff limit allows",
    "DeadlineExceeded": "it ran longer than its activeDeadlineSeconds",
    "PodFailurePolicy": "its pod failure policy ended it",
    "MaxFailedIndexesExceeded": "too many of its indexes failed",
}


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect the job that its own condition or the job controller's events say has failed."""
    told: list[tuple[str, str, str]] = []
    if facts.workload and facts.workload.kind == "Job":
        told += [
            (facts.workload.name, condition.reason, facts.workload.evidence)
            for condition in facts.workload.conditions
            if condition.type in ("Failed", "FailureTarget") and condition.status == "True"
        ]
    told += [
        (event.name, event.reason, event.evidence)
        for event in facts.events
        if event.kind == "Job" and event.reason in _REASONS
    ]
    jobs: dict[str, list[tuple[str, str]]] = {}
    for name, reason, evidence in told:
        jobs.setdefault(name, []).append((reason, evidence))
    for name, sources in jobs.items():
        reason = sources[0][0]
        why = _REASONS.get(reason, reason)
        words, cited = _last_words(facts)
        parts = [f"Job {plain.line(name, 120)} failed: {why} ({plain.line(reason, 60)})."]
        if words:
            parts.append(f"Its last words: {quote(plain.line(words, 260))}.")
        yield Suspicion(
            category="crash",
            headline=f"job {plain.line(name, 120)} failed" + (f": {plain.line(words, 140)}" if words else f": {why}"),
            statement=" ".join(parts),
            confidence="high" if words else "medium",
            depth=Depth.CAUSE if words else Depth.SYMPTOM,
            evidence=cite(*(evidence for _, evidence in sources), cited),
            unknowns=() if words else ("Why its pods failed: their logs say nothing or could not be read.",),
        )


def _last_words(facts: Facts) -> tuple[str, str]:
    return next((found for log in facts.logs if (found := facts.last_words(log.pod))[0]), ("", ""))
