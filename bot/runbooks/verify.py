"""Verification: looks at the target after a run, and the verdict whether it helped, did not, or nobody can tell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.domain.plan import Plan
from bot.domain.run import StepState
from bot.runbooks import course, execute
from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.actions import ACTIONS
from bot.runbooks.call import Call
from bot.runbooks.checks import HEALTH
from bot.runbooks.checks.check import Look
from bot.runbooks.target import Target

Json = Mapping[str, Any]

SECOND = 1_000_000
LONGEST_GAP_SECONDS = 30
"""Two looks further apart prove nothing about the time between them, so a stable time begins anew."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One look, at ``at`` (microseconds). ``sentence`` is fit for the thread: "2 of 3 pods ready."

    ``altered`` means that the target is not as the run was to leave it, so that its health says nothing of the run;
    ``over`` that it came to a bad end, which no later look will find otherwise.
    """

    at: int
    reachable: bool
    healthy: bool
    altered: bool
    ready: int | None
    desired: int | None
    sentence: str
    over: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the run ended, and the sentence that says why."""

    outcome: Literal["helped", "did not help", "cannot tell"]
    sentence: str


async def observe(plan: Plan, ledger: Mapping[int, StepState], access: Access, *, now: int) -> Observation:
    """Look once at the runbook's own targets, without those that failed within what was tolerated.

    A cluster that cannot be asked is an observation too: nothing is raised.
    """
    lost = course.excused(plan, ledger)
    check = plan.record["verification"]["check"]
    if check not in HEALTH:
        return Observation(now, True, False, False, None, None, "Nothing can be looked at.")
    mine = [index for index, each in enumerate(plan.targets) if each["main"] and index not in lost]
    limit = asyncio.Semaphore(execute.AT_ONCE)

    async def at(index: int) -> tuple[Look, bool]:
        target = Target.of_record(plan.targets[index])
        ordinals = [o for o in range(plan.forward) if plan.calls[o]["target"] == index and ledger.get(o) == "done"]
        async with limit:
            live = await _read(plan, ordinals, target, access)
            return await HEALTH[check].look(access, target, live), not _as_left(plan, ledger, ordinals, live)

    for index in mine:
        target = Target.of_record(plan.targets[index])
        if target.cluster != access.cluster:
            sentence = f"{target} is in cluster {target.cluster}, and this connection is to {access.cluster}."
            return Observation(now, False, False, False, None, None, sentence)
    try:
        seen = await asyncio.gather(*(at(index) for index in mine))
    except AccessFailed as failure:
        return Observation(now, False, False, False, None, None, failure.sentence)
    return _together(seen, now)


def _as_left(plan: Plan, ledger: Mapping[int, StepState], done: Sequence[int], live: Json | None) -> bool:
    """Whether a target is as those of its calls that were ``done`` were to leave it. Where one failed and the run went
    on, only what the last of them left is known."""
    written = [ordinal for ordinal in done if not execute.reads_only(plan, ordinal)]
    targets = {plan.calls[ordinal]["target"] for ordinal in written}
    failed = (o for o in range(plan.forward) if ledger.get(o) == "failed" and plan.calls[o]["target"] in targets)
    if any(not execute.reads_only(plan, ordinal) for ordinal in failed):
        return execute.applied(plan, written[-1], live) == "applied"
    return all(execute.settled(plan, ordinal, live) for ordinal in done)


async def _read(plan: Plan, ordinals: Sequence[int], target: Target, access: Access) -> Json | None:
    if ordinals:
        recorded = plan.calls[ordinals[-1]]
        action = ACTIONS[recorded["action"]]
        if not action.reads_only:
            return await action.read(access, target, Call.of_record(recorded))
    return await access.find(target.resource, target.namespace, target.name)


def _together(seen: Sequence[tuple[Look, bool]], now: int) -> Observation:
    """Make one observation of the looks at several targets; the first that came to a bad end, or else
    that is not well, has the word."""
    looks = [look for look, _ in seen]
    altered = any(changed for _, changed in seen)
    unwell = sorted((look for look, changed in seen if changed or not look.healthy), key=lambda look: not look.over)
    well = len(seen) - len(unwell)
    sentence = (unwell or looks)[0].sentence if looks else "There is no target left to look at."
    if len(looks) > 1:
        sentence = f"{well} of {len(looks)} targets are well. {sentence if unwell else ''}".strip()
    return Observation(
        now, True, bool(looks) and not unwell, altered, _sum(look.ready for look in looks),
        _sum(look.desired for look in looks), sentence, any(look.over for look in looks),
    )  # fmt: skip


def _sum(numbers: Iterable[int | None]) -> int | None:
    given = list(numbers)
    return None if None in given or not given else sum(number for number in given if number is not None)


def judge(
    verification: Mapping[str, Any], started_at: int, observations: Sequence[Observation], now: int
) -> Verdict | None:
    """Judge what was seen since ``started_at``; None means: look again. Times are microseconds.

    ``verification`` is the plan record's. It helped once the check held for ``stable_seconds`` without a break before
    the deadline. A cluster that stayed out of reach, a target that somebody else changed and health that came too
    late to be proven stable are "cannot tell"; an unhealthy target at the deadline is "did not help", as is one that
    came to a bad end before.
    """
    if verification["check"] not in HEALTH:
        return Verdict("cannot tell", "Its runbook has nothing to look at. Look yourself whether it helped.")
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
    if last and last.over and not last.healthy:
        return Verdict("did not help", last.sentence)
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
