"""A container cannot be created because a ConfigMap, a Secret, a key in one, or a permission is missing."""

from __future__ import annotations

from collections.abc import Iterator

import re2

from bot.analysis import plain
from bot.analysis.blame import newest_revision
from bot.analysis.facts import Facts, Pod
from bot.analysis.suspicion import Depth, Suspicion, cite, quote

_WAITING = frozenset({"CreateContainerConfigError", "CreateContainerError"})
_MISSING = re2.compile(
    r"(?i)(configmaps?|secrets?|service ?accounts?) \\*\"?([\w./-]{1,253})\\*\"? (?:is )?(?:not found|not registered)"
)
_KEY = re2.compile(r"(?i)couldn't find key ([\w.-]{1,253}) in (ConfigMap|Secret) ([\w./-]{1,253})")
_REFERENCED = re2.compile(r"(?i)references non-existent (?:config|secret) key: ([\w.-]{1,253})")
_ROOT = re2.compile(r"(?i)runAsNonRoot")


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect what the kubelet names as missing, of a waiting container or in an event about a pod not ready."""
    found: dict[str, tuple[str, list[str], list[Pod]]] = {}

    def note(message: str, evidence: str, pod: Pod | None) -> None:
        what = _missing(message)
        if what:
            _, ids, pods = found.setdefault(what, (message, [], []))
            ids.append(evidence)
            if pod:
                pods.append(pod)

    for pod in facts.pods:
        for container in pod.containers:
            if container.state.reason in _WAITING:
                note(container.state.message, pod.evidence, pod)
    for event in facts.troubling_events():
        if event.type != "Normal":
            note(event.message, event.evidence, facts.pod(event.name))
    for what, (message, ids, pods) in found.items():
        blame = newest_revision(facts, pods)
        where = f" of pod {pods[0].name}" if pods else ""
        parts = [f"A container{where} cannot be created: {what}."]
        if blame:
            parts.append(blame.sentence)
        parts.append(f"The kubelet says {quote(plain.line(message, 260))}.")
        yield Suspicion(
            category="configuration",
            headline=what,
            statement=" ".join(parts),
            confidence="high",
            depth=Depth.STATED,
            evidence=cite(*ids, blame.revision.evidence if blame else ""),
            remedies=blame.remedies if blame else (),
            unknowns=("Who removed or renamed it, or whether it was never there: look at its history.",),
        )


def _missing(message: str) -> str:
    key = _KEY.search(message)
    if key:
        return f"{key.group(2)} {key.group(3)} has no key {key.group(1)}"
    referenced = _REFERENCED.search(message)
    if referenced:
        return f"a volume asks for the key {referenced.group(1)}, which its ConfigMap or Secret does not have"
    thing = _MISSING.search(message)
    if thing:
        kind = thing.group(1).lower().replace(" ", "").rstrip("s")
        named = {"configmap": "ConfigMap", "secret": "Secret", "serviceaccount": "ServiceAccount"}.get(kind, kind)
        return f"{named} {thing.group(2)} does not exist"
    if _ROOT.search(message):
        return "the image runs as root and the pod forbids that (runAsNonRoot)"
    return ""
