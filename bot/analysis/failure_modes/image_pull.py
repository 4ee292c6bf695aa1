"""An image cannot be pulled: it is not there, not ours to pull, or its registry does not answer."""

from __future__ import annotations

from collections.abc import Iterator

import re2

from bot.analysis import plain
from bot.analysis.blame import newest_revision
from bot.analysis.facts import Facts, Pod
from bot.analysis.suspicion import Depth, Suspicion, cite, quote

_WAITING = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
    | {"RegistryUnavailable", "SignatureValidationFailed"}
)
_EVENT = re2.compile(
    r"(?i)failed to pull (?:and unpack )?image|back-off pulling image|failed to apply default image tag"
)
_IMAGE = re2.compile(r'image \\*"([^"\\]{1,400})')

# Tried in this order: a message often carries the words of a later line too.
_REASONS: tuple[tuple[str, str], ...] = (
    (r"no match for platform|no matching manifest|exec format", "it was not built for this machine's architecture"),
    (r"toomanyrequests|too many requests|429|rate limit", "the registry limits how often it may be pulled"),
    (
        r"no such host|i/o timeout|connection refused|deadline exceeded|dial tcp|tls|x509|unreachable"
        r"|misbehaving|\beof\b|50[0-4] ",
        "its registry cannot be reached",
    ),
    (
        r"does not exist or may require|insufficient_scope",
        "the repository does not exist, or pulling from it needs credentials that were not given",
    ),
    (
        r"unauthorized|authentication required|no basic auth|denied|forbidden|40[13]",
        "the registry refuses our credentials, or none were given (imagePullSecrets)",
    ),
    (r"manifest unknown|name unknown|not found|does not exist", "that image or tag does not exist in the registry"),
    (r"invalid reference|invalidimagename|couldn't parse image", "its name is not a valid image reference"),
    (r"errimageneverpull|never", "it is not present and its pull policy is Never"),
)
_PATTERNS = tuple((re2.compile(f"(?i){pattern}"), reason) for pattern, reason in _REASONS)


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect each image that a container waits for, and each that events say could not be pulled."""
    waiting: dict[str, list[Pod]] = {}
    said: dict[str, list[str]] = {}
    shown: dict[str, list[str]] = {}
    for pod in facts.pods:
        for container in pod.containers:
            if container.state.kind == "waiting" and container.state.reason in _WAITING:
                waiting.setdefault(container.image, []).append(pod)
                said.setdefault(container.image, []).extend((container.state.message, container.state.reason))
                shown.setdefault(container.image, []).append(pod.evidence)
    for event in facts.troubling_events():
        if _EVENT.search(event.message):
            match = _IMAGE.search(event.message)
            image = match.group(1) if match else ""
            known = next((name for name in said if image and _same(name, image)), image)
            if known or not said:
                said.setdefault(known, []).insert(0, event.message)
                shown.setdefault(known, []).append(event.evidence)
    for image, messages in said.items():
        yield _suspicion(facts, image, messages, shown[image], waiting.get(image, []))


def _suspicion(facts: Facts, image: str, messages: list[str], evidence: list[str], pods: list[Pod]) -> Suspicion:
    whole = " ".join(messages)
    why = next((reason for pattern, reason in _PATTERNS if pattern.search(whole)), "")
    told = next((m for pattern, _ in _PATTERNS for m in messages if pattern.search(m)), messages[0])
    name = plain.line(image, 200) or "its image"
    blame = newest_revision(facts, pods)
    headline = f"image {name} cannot be pulled" + (f": {why}" if why else "")
    where = f" in pod {pods[0].name}" + (f" and {len(pods) - 1} more" if len(pods) > 1 else "") if pods else ""
    parts = [f"The image {name} cannot be pulled{where}" + (f": {why}." if why else ".")]
    if blame:
        parts.append(blame.sentence)
    if told:
        parts.append(f"The kubelet says {quote(plain.line(told, 260))}.")
    return Suspicion(
        category="image-pull",
        headline=headline,
        statement=" ".join(parts),
        confidence="high",
        depth=Depth.STATED,
        evidence=cite(*evidence, blame.revision.evidence if blame else ""),
        remedies=blame.remedies if blame else (),
        unknowns=() if why else ("Why the pull fails: the message names no reason we know.",),
    )


def _same(name: str, image: str) -> bool:
    """Events spell an image as the pod does or in full: ``docker.io/library/nginx`` is ``nginx``."""
    return name == image or image.endswith(f"/{name}") or name.endswith(f"/{image}")
