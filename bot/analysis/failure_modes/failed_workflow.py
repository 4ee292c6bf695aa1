"""A workflow fails on the default branch of the repository that the workload comes from."""

from __future__ import annotations

from collections.abc import Iterator

from bot.analysis import plain
from bot.analysis.facts import Facts
from bot.analysis.suspicion import Depth, Remedy, Suspicion, cite

SOON_SECONDS = 2 * 3600


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Say that it failed, which may keep a mend from being deployed; where that was by chance, it may run again."""
    top = next((run for run in facts.failed_runs if run.seconds_before <= SOON_SECONDS), None)
    if top is None:
        return
    by_chance = top.flaky == "likely"
    remedies: tuple[Remedy, ...] = ()
    if by_chance:
        remedies = (Remedy("rerun-failed-jobs", {"repository": top.repository, "workflow_run": top.run}),)
    when = f"{max(1, top.seconds_before // 60)} min before the alert"
    chance = f" It looks flaky: {plain.line(top.flaky_why, 150)}." if by_chance else ""
    yield Suspicion(
        category="bad-rollout",
        headline=f"{top.workflow} of {top.repository} failed {when}",
        statement=(
            f"{plain.line(top.workflow, 80)} failed on the default branch of {top.repository} {when}, so what it "
            f"deploys may be missing: {plain.line(top.what, 200)}.{chance}"
        ),
        confidence="low",
        depth=Depth.SYMPTOM,
        evidence=cite(top.evidence),
        remedies=remedies,
        lasting=by_chance,
        unknowns=(f"Whether {plain.line(top.workflow, 80)} deploys what the alert is about.",),
    )
