"""What one use of a runbook takes: the stricter of the runbook and of the policy for its risk, group by group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bot.approvals import windows
from bot.approvals.terms import people_of
from bot.domain.approval import Person
from bot.domain.canonical import canonical, digest
from bot.domain.plan import Plan
from bot.domain.policy import Policy
from bot.domain.runbook import Runbook


@dataclass(frozen=True, slots=True)
class Needed:
    """How many of each group, how many different people in all, for how long a request stands, and whether it may be
    released by break-glass."""

    counts: dict[str, int]
    quorum: int
    ttl_seconds: int
    requester_may_approve: bool
    break_glass: bool


def needed(runbook: Runbook, policy: Policy) -> Needed:
    """Return what signing off ``runbook`` takes under ``policy``. A runbook may ask for more than its risk does, never
    for less; a requester may approve their own low-risk action only, and only if its runbook says so."""
    demand = policy.demand(runbook.risk)
    asked = runbook.approval
    counts = {
        group: max(demand.counts.get(group, 0), asked.groups.get(group, 0))
        for group in sorted({*demand.counts, *asked.groups})
    }
    ttl = asked.ttl_seconds if demand.ttl_seconds is None else min(asked.ttl_seconds, demand.ttl_seconds)
    return Needed(
        counts=counts,
        quorum=max(asked.quorum, sum(counts.values())),
        ttl_seconds=ttl,
        requester_may_approve=asked.requester_may_approve and runbook.risk == "low",
        break_glass=asked.break_glass,
    )


def concerning(record: Mapping[str, Any], runbook: Runbook, policy: Policy) -> str:
    """Digest what the policy says that concerns one request, by its plan's record: what it takes and of whom, who may
    break the glass, which of its people are one human, and the windows that match it. What the policy says of other
    risks, groups, people and targets is not in it."""
    takes = needed(runbook, policy)
    groups = {name: group.data() if (group := policy.group(name)) else None for name in takes.counts}
    glass = policy.break_glass.data() | {"through_windows": policy.through_windows}
    matching = windows.matching(
        policy.windows,
        cluster=str(record.get("cluster", "")),
        namespaces=[str(target.get("namespace", "")) for target in record.get("targets", ())],
        runbook=runbook.id,
    )
    concerned = {
        "takes": asdict(takes),
        "groups": groups,
        "break_glass": glass if takes.break_glass else None,
        "humans": _humans(record, policy),
        "windows": sorted(canonical(asdict(window)).decode() for window in matching),
    }
    return digest(canonical(concerned))


def _humans(record: Mapping[str, Any], policy: Policy) -> list[list[str]]:
    """Which of the people whom a record names are one human: of nobody else it matters whom they are."""
    humans: dict[Person, list[str]] = {}
    for person in sorted(people_of(record)):
        humans.setdefault(policy.aliases.get(person, person), []).append(str(person))
    return sorted(names for names in humans.values() if len(names) > 1)


def outdated(plan: Plan, runbooks: Mapping[str, Runbook], policy: Policy) -> str:
    """Say why a request no longer asks for what would be asked for now: its runbook, or what the policy says that
    concerns it, has changed."""
    bound = plan.record.get("runbook", {})
    runbook = runbooks.get(str(bound.get("id", "")))
    if runbook is None:
        return "Its runbook is no longer in the catalogue."
    if runbook.digest != bound.get("digest"):
        return "Its runbook has changed since this was asked for."
    if plan.record.get("policy_digest") != concerning(plan.record, runbook, policy):
        return "The policy that says who must approve has changed since this was asked for."
    return ""
