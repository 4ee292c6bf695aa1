"""Verification: looks at the target after a run, and the verdict whether it helped, did not, or nobody can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.clients.kubernetes import Kubernetes
from bot.domain.plan import Plan
from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.checks import HEALTH
from bot.runbooks.execute import applied
from bot.runbooks.target import Target, read

SECOND = 1_000_000
LONGEST_GAP_SECONDS = 30
"""Two looks further apart prove nothing about the time between them, so a stable time begins anew."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One look, at ``at`` (microseconds). ``sentence`` is fit for the thread: "2 of 3 pods ready."

    ``altered`` means that the target is not as the run was to leave it, so that its health says nothing of the run.
    """

    at: int
    reachable: bool
    healthy: bool
    altered: bool
    ready: int | None
    desired: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the run ended, and the sentence that says why."""

    outcome: Literal["helped", "did not help", "cannot tell"]
    sentence: str


async def observe(plan: Plan, kubernetes: Kubernetes, *, now: int) -> Observation:
    """Look once. A cluster that cannot be asked is an observation too: nothing is raised."""
    recorded = plan.record["verification"]
    target = Target.of_record(plan.targets[0])
    access = Access(kubernetes)
    if target.cluster != access.cluster:
        sentence = f"{target} is in cluster {target.cluster}, and this connection is to {access.cluster}."
        return Observation(now, False, False, False, None, None, sentence)
    try:
        live = await read(access, target)
        look = await HEALTH[recorded["check"]].look(access, target, live)
    except AccessFailed as failure:
        return Observation(now, False, False, False, None, None, failure.sentence)
    altered = any(applied(plan, ordinal, live) != "applied" for ordinal in range(len(plan.calls)))
    return Observation(now, True, look.healthy and not altered, altered, look.ready, look.desired, look.sentence)


def judge(
    verification: Mapping[str, Any], started_at: int, observations: Sequence[Observation], now: int
) -> Verdict | None:
    """Judge what was seen since ``started_at``; None means: look again. Times are microseconds.

    ``verification`` is the plan record's. It helped once the check held for ``stable_seconds`` without a break before
    the deadline. A cluster that stayed out of reach, a target that somebody else changed and health that came too
    late to be proven stable are "cannot tell"; an unhealthy target at the deadline is "did not help".
    """
    deadline = started_at + verification["deadline_seconds"] * SECOND
    stable = verification["stable_seconds"] * SECOND
    seen = sorted((each for each in observations if started_at <= each.at <= deadline), key=lambda each: each.at)
    last = seen[-1] if seen else None
    if last and last.altered:
        said = "The target is not as this run was to leave it: something else changed it, so its health proves nothing."
        return Verdict("cannot tell", f"{said} {last.sentence}")
    healthy_since = _healthy_since(seen)
    if last and healthy_since is not None and last.at - healthy_since >= stable:
        return Verdict("helped", f"{last.sentence} It held for {(last.at - healthy_since) // SECOND} s.")
    if now < deadline:
        return None
    within = f"within {verification['deadline_seconds']} s"
    if last is None:
        return Verdict("cannot tell", f"Nobody could look {within}. Check the target yourself.")
    if not last.reachable:
        return Verdict("cannot tell", f"{last.sentence} So it is not known whether the run helped {within}.")
    if healthy_since is not None:
        return Verdict(
            "cannot tell",
            f"{last.sentence} But it did not hold for {verification['stable_seconds']} s {within}.",
        )
    before = verification["before"]["ready"]
    if before is not None and last.ready is not None and last.ready < before:
        return Verdict("did not help", f"It is worse than before: {last.sentence} Before the run {before} were ready.")
    return Verdict("did not help", f"Not healthy {within}: {last.sentence}")


def _healthy_since(seen: Sequence[Observation]) -> int | None:
    """When the unbroken row of healthy looks that ends with the last one began, None if the last one is not."""
    since: int | None = None
    for each, previous in zip(seen, [None, *seen], strict=False):
        if not each.healthy:
            since = None
        elif since is None or (previous and each.at - previous.at > LONGEST_GAP_SECONDS * SECOND):
            since = each.at
    return since
