"""The changes: what was merged, pushed or deployed before the alert, the likeliest to have caused it first.

Ranked by how near in time it is, whether its paths name the workload, and what its diff puts at stake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.condense.diff.classify import classify
from bot.condense.diff.patch import FilePatch
from bot.domain.change import Change
from bot.domain.evidence import Evidence
from bot.domain.incident import Subject
from bot.evidence.age import span
from bot.evidence.lines import MAX_TEXT, counted, fit, one_line
from bot.redact import Redactor

KIND = "changes"
WINDOW = 24 * 3600 * 1_000_000
"""How long before an alert a change may still be its cause, in microseconds."""
AFTER = 5 * 60 * 1_000_000
"""An alert's start is when its rule noticed; clocks differ, too. What came later caused nothing."""
LISTED = 8
_SELDOM = 0.1
"""What a match of a file that does not run counts."""
_HALF = 2 * 3600 * 1_000_000
_RISK = {"critical": 1.0, "high": 0.8, "medium": 0.4}
_VERB = {"merge": "merged", "push": "pushed", "deploy": "deployed"}
_TRIALS = frozenset({"dev", "development", "preview", "qa", "review", "sandbox", "stage", "staging", "test", "testing"})
_ELSEWHERE = 0.3
_WORDS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A change with its ``score`` (0 to 1), how well it matches the subject (0 to 1), and why, in words of ours."""

    change: Change
    score: float
    match: float
    why: str


def rank(changes: Sequence[Change], subject: Subject, *, alert_started_at: int) -> tuple[Ranked, ...]:
    """Return the changes that may have caused something about ``subject``, the likeliest first."""
    merged = {change.sha for change in changes if change.kind == "merge"}
    found = [
        _ranked(change, subject, alert_started_at)
        for change in changes
        # A merge is pushed too; it is one change.
        if not (change.kind == "push" and change.sha in merged)
        and alert_started_at - WINDOW <= change.at <= alert_started_at + AFTER
    ]
    return tuple(sorted(found, key=lambda one: (-one.score, -one.change.at, one.change.id)))


def collected(
    changes: Sequence[Change], subject: Subject, *, now: int, alert_started_at: int, redactor: Redactor, number: int
) -> Evidence | None:
    """Return the evidence ``E{number}``, or None where nothing was changed. Times are in microseconds."""
    ranked = rank(changes, subject, alert_started_at=alert_started_at)
    if not ranked:
        return None
    clean = redactor.text
    shown = [clean(line) for line in _lines(ranked[:LISTED], alert_started_at)]
    return Evidence(
        id=f"E{number}",
        kind=KIND,
        title=f"{counted(len(ranked), 'change')} in the 24 h before the alert",
        source="github",
        query="pull requests merged, commits pushed and deployments of the last 24 h",
        collected_at=now,
        text=fit(shown, MAX_TEXT),
        facts=redactor.data({"changes": [_fact(one, alert_started_at) for one in ranked[:LISTED]]}),
    )


def _ranked(change: Change, subject: Subject, started_at: int) -> Ranked:
    match, why = _match(change, subject)
    near = 0.5 ** (max(0, started_at - change.at) / _HALF)
    risk = max((_RISK.get(risk.severity, 0.0) for risk in change.risks), default=0.0)
    score = near * (0.15 + 0.6 * match + 0.25 * risk) * _there(change.environment, subject)
    return Ranked(change, round(score, 3), match, why)


def _there(environment: str, subject: Subject) -> float:
    """Return what a deployment to an environment counts for a subject: one for trying things out is another place,
    unless the subject's cluster or namespace bears its name."""
    trial = _TRIALS.intersection(_WORDS.split(environment.lower()))
    where = set(_WORDS.split(f"{subject.cluster or ''} {subject.namespace}".lower()))
    return _ELSEWHERE if trial and not trial & where else 1.0


def _match(change: Change, subject: Subject) -> tuple[float, str]:
    """Say how well a change's paths and repository name the workload. A namespace alone says little."""
    name, namespace = subject.name.lower(), subject.namespace.lower()
    best = (0.0, "")
    runs = {path: 1.0 if _runs(path) else _SELDOM for path in change.paths}
    for path, weight in runs.items():
        parts = [part.lower() for part in path.split("/")]
        stems = {part.rsplit(".", 1)[0] for part in parts} | set(parts)
        if name and name in stems:
            best = max(best, (weight, f"its path {one_line(path, 150)} names {subject.name}"))
            continue
        words = {word for part in parts for word in _WORDS.split(part) if word}
        if name and set(_WORDS.split(name)) <= words:
            best = max(best, (0.8 * weight, f"its path {one_line(path, 150)} speaks of {subject.name}"))
        elif namespace and namespace in stems:
            best = max(best, (0.3 * weight, f"its path {one_line(path, 150)} names the namespace {subject.namespace}"))
    repository = change.repository.lower().partition("/")[2]
    if name and (repository == name or name in _WORDS.split(repository)):
        weight = max(runs.values(), default=1.0)
        best = max(best, (0.7 * weight, f"its repository {change.repository} is named after {subject.name}"))
    return round(best[0], 3), best[1]


def _runs(path: str) -> bool:
    """Whether a file may have to do with what runs: a page of documentation or a test named after it has not."""
    return classify(FilePatch(path, "modified")) not in ("docs", "test")


def _lines(ranked: Sequence[Ranked], started_at: int) -> Iterator[str]:
    for number, one in enumerate(ranked, 1):
        change = one.change
        when = f"{span(started_at - change.at)} before the alert" if change.at <= started_at else "as the alert began"
        yield f"{number}. {change.name} {_VERB[change.kind]} {when} by {one_line(change.author, 60) or 'somebody'}"
        yield f"   title: {one_line(change.title, 200)}"
        if one.why:
            yield f"   {one.why}"
        for risk in change.risks[:3]:
            yield f"   risk {risk.severity}: {risk.message} ({one_line(risk.path, 150)})"
        if change.paths and not one.why:
            yield f"   touches {', '.join(one_line(path, 100) for path in change.paths[:4])}"


def _fact(one: Ranked, started_at: int) -> dict[str, object]:
    change = one.change
    return {
        "name": change.name,
        "kind": change.kind,
        "verb": _VERB[change.kind],
        "seconds_before": max(0, started_at - change.at) // 1_000_000,
        "title": one_line(change.title, 200),
        "url": change.url,
        "environment": one_line(change.environment, 60),
        "score": one.score,
        "match": one.match,
        "why": one.why,
        "risk": change.risks[0].severity if change.risks else "",
        "risk_says": change.risks[0].message if change.risks else "",
    }
