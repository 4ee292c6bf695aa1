"""The objects that really exist, as far as this incident's evidence shows: the only ones a proposal may name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.analysis.facts import Facts


@dataclass(frozen=True, slots=True)
class Inventory:
    """Objects of one incident's one cluster and pull requests of its repositories, as (kind, namespace or repository,
    name), and the revisions of its rollout."""

    objects: frozenset[tuple[str, str, str]]
    revisions: frozenset[int]

    def has(self, kinds: Sequence[str], namespace: str, name: str) -> bool:
        """Say whether an object of one of these kinds was seen under exactly this name."""
        return any((kind, namespace, name) in self.objects for kind in kinds)


def inventory(facts: Facts) -> Inventory:
    """Collect the workload, its owners and pods. Alert labels, events and logs are claims, not sightings."""
    objects: set[tuple[str, str, str]] = set()
    workload = facts.workload
    if workload:
        objects.add((workload.kind, workload.namespace, workload.name))
        objects.update((kind, workload.namespace, name) for kind, name in workload.owners)
        objects.update(("Pod", workload.namespace, pod.name) for pod in facts.pods)
    # What was merged and what failed was told by GitHub itself, signed.
    for change in facts.code_changes:
        repository, _, number = change.name.partition("#")
        if change.merged:
            objects.add(("PullRequest", repository, number))
    objects.update(("WorkflowRun", run.repository, str(run.run)) for run in facts.failed_runs if run.run)
    return Inventory(
        objects=frozenset(entry for entry in objects if all(entry)),
        revisions=frozenset(revision.number for revision in facts.revisions),
    )
