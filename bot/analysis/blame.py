"""Whether the newest revision of a workload is to blame for pods that fail, and what rolling it back would take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.analysis import plain
from bot.analysis.facts import Change, Facts, Pod, Revision
from bot.analysis.suspicion import Remedy

RECENT_MICROSECONDS = 2 * 60 * 60 * 1_000_000
"""An alert that began this long after a rollout may still come from it: rules wait 5 to 15 minutes, leaks longer."""

_RESTART = "restartedAt"


@dataclass(frozen=True, slots=True)
class Blame:
    """The newest revision is to blame: ``certain`` when only its pods fail while older ones are ready."""

    revision: Revision
    sentence: str
    certain: bool
    remedies: tuple[Remedy, ...]


def newest_revision(facts: Facts, failing: Sequence[Pod]) -> Blame | None:
    """Blame the newest revision when it changed something, the failing pods are its own, and older pods do not fail.

    Where no older pod is left to compare with, it must at least have come shortly before the alert.
    """
    if len(facts.revisions) < 2:
        return None
    newest, before = facts.revisions[:2]
    changes = [change for change in newest.changes if _RESTART not in change.path]
    if not changes and newest.images == before.images:
        return None
    own = [pod for pod in failing if _belongs(pod, newest)]
    if failing and not own:
        return None
    older_ready = any(pod.ready and not _belongs(pod, newest) for pod in facts.pods)
    own_ready = any(pod.ready and _belongs(pod, newest) for pod in facts.pods)
    recent = newest.created_at is not None and newest.created_at >= facts.started_at - RECENT_MICROSECONDS
    certain = bool(own) and older_ready and not own_ready
    if not certain and not (recent and not own_ready):
        return None
    beside = ", while pods of the revision before are ready" if certain else ""
    return Blame(
        revision=newest,
        sentence=f"It came with revision {newest.number} ({_described(newest, before, changes)}){beside}.",
        certain=certain,
        remedies=_rollback(facts),
    )


def _rollback(facts: Facts) -> tuple[Remedy, ...]:
    workload = facts.workload
    if workload is None or workload.kind != "Deployment":
        return ()
    return (Remedy("rollback-deployment", {"namespace": workload.namespace, "deployment": workload.name}),)


def _belongs(pod: Pod, revision: Revision) -> bool:
    return bool(pod.template_hash) and f"-{revision.name}".endswith(f"-{pod.template_hash}")


def _described(newest: Revision, before: Revision, changes: Sequence[Change]) -> str:
    if not changes:
        changes = [Change("image", ", ".join(before.images), ", ".join(newest.images))]
    said = [
        f"{plain.line(change.path, 80)}: {plain.line(change.before, 100) or 'nothing'} → "
        f"{plain.line(change.after, 100) or 'nothing'}"
        for change in changes[:3]
    ]
    more = f" and {len(changes) - 3} more changes" if len(changes) > 3 else ""
    return "; ".join(said) + more
