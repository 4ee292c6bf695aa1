"""The few sentences of collected evidence that a person wants first, made by code from the facts, without judgement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bot.domain.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Fact:
    """One sentence and the id of the evidence it is read from."""

    sentence: str
    evidence: str


def headline_facts(evidence: Sequence[Evidence], limit: int = 4) -> tuple[Fact, ...]:
    """Return at most ``limit`` facts, the most telling kind first."""
    found: list[Fact] = []
    for kind, read in _READERS.items():
        for item in evidence:
            if item.kind == kind and item.error is None:
                found.extend(read(item))
    return tuple(found[:limit])


def _workload(item: Evidence) -> Iterator[Fact]:
    facts = item.facts
    ready, desired = facts.get("ready"), facts.get("desired")
    if isinstance(ready, int) and isinstance(desired, int):
        paused = ", rollout paused" if facts.get("paused") else ""
        yield Fact(f"{ready} of {desired} pods ready{paused}", item.id)


def _pods(item: Evidence) -> Iterator[Fact]:
    reasons: Counter[str] = Counter()
    for pod in _mappings(item.facts.get("pods")):
        reason = _trouble(pod)
        if reason:
            reasons[reason] += 1
    for reason, count in reasons.most_common(2):
        yield Fact(f"{count} {'pod' if count == 1 else 'pods'} in {reason}", item.id)


def _trouble(pod: Mapping[str, Any]) -> str:
    for container in _mappings(pod.get("containers")):
        state = container.get("state")
        last = container.get("last_state")
        if isinstance(state, Mapping) and state.get("kind") == "waiting" and state.get("reason") not in _STARTING:
            was = last.get("reason") if isinstance(last, Mapping) else None
            return f"{state.get('reason')}" + (f", last ended with {was}" if was and was != "Error" else "")
        if isinstance(state, Mapping) and state.get("kind") == "terminated" and state.get("exit_code"):
            return f"{state.get('reason') or 'exit'} (exit code {state.get('exit_code')})"
    reason = pod.get("reason")
    return str(reason) if reason else ("Pending" if pod.get("phase") == "Pending" else "")


def _rollout(item: Evidence) -> Iterator[Fact]:
    for revision in _mappings(item.facts.get("revisions")):
        if revision.get("revision") != item.facts.get("current"):
            continue
        for change in _mappings(revision.get("changes")):
            if str(change.get("path", "")).endswith("image"):
                before, after = change.get("before"), change.get("after")
                yield Fact(f"revision {revision['revision']} changed the image: {before} → {after}", item.id)
                return


def _nodes(item: Evidence) -> Iterator[Fact]:
    for node in _mappings(item.facts.get("nodes")):
        if node.get("ready") is False:
            yield Fact(f"node {node.get('name')} is not ready", item.id)


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, (list, tuple)):
        for entry in value:
            if isinstance(entry, Mapping):
                yield entry


_STARTING = frozenset({None, "ContainerCreating", "PodInitializing"})


def _changes(item: Evidence) -> Iterator[Fact]:
    """Name the likeliest change, where it names the workload: a change of something else is no news here."""
    for change in islice(_mappings(item.facts.get("changes")), 1):
        match, seconds = change.get("match"), change.get("seconds_before")
        if isinstance(match, (int, float)) and match >= 0.7 and isinstance(seconds, int):
            when = f"{max(1, seconds // 60)} min before the alert"
            yield Fact(f"{change.get('name')} was {change.get('verb')} {when}: {change.get('why')}", item.id)


_READERS = {"workload": _workload, "pods": _pods, "rollout": _rollout, "nodes": _nodes, "changes": _changes}
