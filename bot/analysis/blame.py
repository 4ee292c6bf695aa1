"""Whether the newest revision of a workload is to blame for pods that fail, and what rolling it back would take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.analysis import plain
from bot.analysis.facts import Change, Facts, Pod, Revision
from bot.analysis.suspicion import Remedy

RECENT_MICROSECONDS = 2 * 60 * 60 * 1_000_000
"""An alert that began this long after a rollout may still come from it: rules wait 5 to 15 minutes, leaks longer."""

MAX_CHANGES = 3
_RESTART = "restartedAt"
_ROLLBACKS = {
    "Deployment": ("rollback-deployment", "deployment"),
    "StatefulSet": ("rollback-stateful-set", "stateful_set"),
    "DaemonSet": ("rollback-daemon-set", "daemon_set"),
}


@dataclass(frozen=True, slots=True)
class Blame:
    """The newest revision may be to blame: ``certain`` when only its pods fail while older ones are ready."""

    revision: Revision
    sentence: str
    certain: bool
    remedies: tuple[Remedy, ...]


def newest_revision(facts: Facts, failing: Sequence[Pod]) -> Blame | None:
    """Blame the newest revision when it changed something, the failing pods are its own, and older pods do not fail.

    Where no older pod is left to compare with, it must at least have come shortly before the alert.
    """
    newest = _newest(facts)
    if newest is None:
        return None
    revision, changed = newest
    own = [pod for pod in failing if _belongs(pod, revision)]
    # A pod that crashes is ready in between, so only one that never restarted speaks for its revision.
    own_well = any(pod.ready and not pod.restarts and _belongs(pod, revision) for pod in facts.pods)
    if own_well or (failing and not own):
        return None
    older_ready = any(pod.ready and not _belongs(pod, revision) for pod in facts.pods)
    certain = bool(own) and older_ready
    if not certain and not _recent(revision, facts):
        return None
    beside = ", while pods of the revision before are ready" if certain else ""
    sentence = f"It came with revision {revision.number} ({changed}){beside}."
    return Blame(revision, sentence, certain, _rollback(facts))


def recent_change(facts: Facts) -> Blame | None:
    """Name the newest revision if it changed something shortly before the alert, whatever the pods look like."""
    newest = _newest(facts)
    if newest is None or not _recent(newest[0], facts):
        return None
    revision, changed = newest
    sentence = f"Revision {revision.number} was rolled out shortly before the alert ({changed})."
    return Blame(revision, sentence, False, _rollback(facts))


def _newest(facts: Facts) -> tuple[Revision, str] | None:
    """Return the newest revision and what it changed; a mere restart changes nothing, and a first one has no before."""
    if len(facts.revisions) < 2:
        return None
    newest, before = facts.revisions[:2]
    changes = [change for change in newest.changes if _RESTART not in change.path]
    if not changes and newest.images == before.images:
        return None
    return newest, _described(newest, before, changes)


def _recent(revision: Revision, facts: Facts) -> bool:
    return revision.created_at is not None and revision.created_at >= facts.started_at - RECENT_MICROSECONDS


def _rollback(facts: Facts) -> tuple[Remedy, ...]:
    workload = facts.workload
    if workload is None or workload.kind not in _ROLLBACKS:
        return ()
    runbook, parameter = _ROLLBACKS[workload.kind]
    return (Remedy(runbook, {"namespace": workload.namespace, parameter: workload.name}),)


def _belongs(pod: Pod, revision: Revision) -> bool:
    return bool(pod.template_hash) and f"-{revision.name}".endswith(f"-{pod.template_hash}")


def _described(newest: Revision, before: Revision, changes: Sequence[Change]) -> str:
    """Say what changed, briefly: labels and annotations, which tag along, only where nothing else did."""
    weighty = [change for change in changes if not change.path.startswith("metadata.")]
    shown = weighty or list(changes) or [Change("image", ", ".join(before.images), ", ".join(newest.images))]
    more = f" and {len(shown) - MAX_CHANGES} more changes" if len(shown) > MAX_CHANGES else ""
    return "; ".join(map(_change, shown[:MAX_CHANGES])) + more


def _change(change: Change) -> str:
    before = plain.line(change.before, 120) or "nothing"
    after = plain.line(change.after, 120) or "nothing"
    repository, colon, tag = after.rpartition(":")
    if change.path.endswith("image") and colon and before.startswith(f"{repository}:"):
        return f"image {before} → {tag}"
    return f"{plain.line(change.path, 80)}: {before} → {after}"
