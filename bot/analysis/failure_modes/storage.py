"""A volume is the trouble: a claim that stays unbound, a volume that cannot be attached or mounted, a full disk."""

from __future__ import annotations

from collections.abc import Iterator

import re2

from bot.analysis import plain
from bot.analysis.error_lines import message as log_message
from bot.analysis.facts import Event, Facts
from bot.analysis.suspicion import Depth, Suspicion, cite, quote

_CLAIM_REASONS = frozenset({"ProvisioningFailed", "FailedBinding", "VolumeMismatch", "ClaimLost", "ClaimMisbound"})
_MOUNT_REASONS = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume", "VolumeResizeFailed"})
_UNBOUND = re2.compile(
    r"(?i)unbound (?:immediate )?PersistentVolumeClaims|volume node affinity conflict"
    r"|persistentvolumeclaim .{1,260}not found"
)
_CLASS = re2.compile(r'storageclass(?:\.storage\.k8s\.io)? \\*"([^"\\]{1,253})\\*" not found')
_CONFIGURATION = re2.compile(r"(?i)(?:configmap|secret)s? \\*\"?[\w./-]{1,253}\\*\"? not found|references non-existent")
_FULL = re2.compile(
    r"(?i)no space left on device|ENOSPC|disk quota exceeded|read-only file system|database or disk is full"
)


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect claims that cannot be bound and volumes that cannot be mounted, by events, and full disks, by logs."""
    events = list(facts.troubling_events())
    claims = [event for event in events if event.reason in _CLAIM_REASONS]
    waiting = [event for event in events if event.reason == "FailedScheduling" and _UNBOUND.search(event.message)]
    if claims or waiting:
        yield _unbound(claims, waiting)
    for event in events:
        if event.reason in _MOUNT_REASONS and not _CONFIGURATION.search(event.message):
            yield _mount(event)
            break
    for log in facts.logs:
        line = next((line for line in reversed(log.text.splitlines()) if _FULL.search(line)), None)
        if line is not None:
            told = plain.line(log_message(line), 240)
            yield Suspicion(
                category="storage",
                headline=f"{log.pod or facts.label} cannot write: {plain.line(told, 120)}",
                statement=f"{log.pod or facts.label} cannot write to its disk: its log says {quote(told)}.",
                confidence="medium",
                depth=Depth.STATED,
                evidence=cite(log.evidence),
                unknowns=("Which volume is full and what fills it: look at its usage.",),
            )
            break


def _unbound(claims: list[Event], waiting: list[Event]) -> Suspicion:
    told = claims or waiting
    message = plain.line(told[0].message.split(" preemption:")[0], 260)
    name = plain.line(claims[0].name, 120) if claims else ""
    claim = f"PersistentVolumeClaim {name}" if name else "a PersistentVolumeClaim (PVC) of the pod"
    missing = _CLASS.search(told[0].message)
    why = f"its storage class {missing.group(1)} does not exist" if missing else "no volume is bound to it"
    held = " The pod stays Pending until the claim is bound." if waiting else ""
    return Suspicion(
        category="storage",
        headline=f"{claim} is unbound: {why}",
        statement=f"{claim} is unbound (Pending): {why}. The cluster says {quote(message)}.{held}",
        confidence="high" if claims else "medium",
        depth=Depth.STATED,
        evidence=cite(*(event.evidence for event in (*claims, *waiting))),
        unknowns=()
        if claims
        else ("Why the claim is unbound: look at the events and the storage class of the claim.",),
    )


def _mount(event: Event) -> Suspicion:
    message = plain.line(event.message, 260)
    elsewhere = "multi-attach" in event.message.lower()
    why = "it is still attached to another node" if elsewhere else "the mount fails"
    return Suspicion(
        category="storage",
        headline=f"a volume of {plain.line(event.name, 120)} cannot be mounted: {why}",
        statement=f"A volume of {plain.line(event.name, 120)} cannot be mounted: {why}. The event: {quote(message)}.",
        confidence="high" if event.count > 1 else "medium",
        depth=Depth.STATED,
        evidence=cite(event.evidence),
    )
