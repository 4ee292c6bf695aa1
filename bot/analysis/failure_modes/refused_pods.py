"""Pods are not even created: a quota is used up, or admission refuses them."""

from __future__ import annotations

from collections.abc import Iterator

import re2

from bot.analysis import plain
from bot.analysis.blame import newest_revision
from bot.analysis.facts import Facts
from bot.analysis.suspicion import Depth, Suspicion, cite, quote

_RULES: tuple[tuple[str, str, str], ...] = (
    (r"exceeded quota", "resource-exhaustion", "the namespace's resource quota is used up"),
    (r"violates PodSecurity", "configuration", "the namespace's Pod Security level forbids them"),
    (r"serviceaccount .{1,260}not found", "configuration", "their service account does not exist"),
    (r"admission webhook .{1,260}denied", "configuration", "an admission webhook denies them"),
    (r"failed calling webhook", "dependency", "an admission webhook does not answer"),
    (r"(?:maximum|minimum) .{1,60}usage per", "configuration", "they fall outside the namespace's limit range"),
)
_PATTERNS = tuple((re2.compile(f"(?i){pattern}"), category, reason) for pattern, category, reason in _RULES)


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect what FailedCreate events and the ReplicaFailure condition say stands in the way of new pods."""
    told = [(event.message, event.evidence) for event in facts.events if event.reason == "FailedCreate"]
    if facts.workload:
        told += [
            (condition.message, facts.workload.evidence)
            for condition in facts.workload.conditions
            if condition.type == "ReplicaFailure" and condition.status == "True"
        ]
    if not told:
        return
    message = told[0][0]
    category, why = next(
        ((category, reason) for pattern, category, reason in _PATTERNS if pattern.search(message)),
        ("configuration", "the API server refuses them"),
    )
    blame = newest_revision(facts, [])
    yield Suspicion(
        category=category,
        headline=f"pods of {facts.label} are not created: {why}",
        statement=f"New pods of {facts.label} are not created, because {why}: {quote(plain.line(message, 280))}."
        + (f" {blame.sentence}" if blame else ""),
        confidence="high",
        depth=Depth.STATED,
        evidence=cite(*(evidence for _, evidence in told), blame.revision.evidence if blame else ""),
        remedies=blame.remedies if blame and category == "configuration" else (),
    )
