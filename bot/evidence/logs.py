"""The logs: the last lines of the worst pods' containers, now and before their last restart."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.clients.kubernetes import KubernetesError, KubernetesUnreachable, Tail
from bot.evidence.lines import MAX_TEXT, plain, shorten
from bot.evidence.pods import WELL, badness, seen
from bot.evidence.reading import KINDS, unreadable
from bot.evidence.scene import Draft, Scene
from bot.redact import Redactor

KIND = "logs"
MAX_PODS = 3
MAX_STREAMS = 6
_MAX_WELL = 2
READ_LINES = 1000
READ_BYTES = 64 * 1024
MAX_LINES = 150
_MAX_LINE = 800
_MARGIN_SECONDS = 0.2
# A proxy that is injected beside the application says little about it while it is ready.
_SIDECARS = frozenset({"istio-proxy", "linkerd-proxy", "envoy", "cloud-sql-proxy", "vault-agent"})


@dataclass(frozen=True, slots=True)
class Stream:
    """One log: of a container as it runs, or of the run before."""

    pod: str
    container: str
    previous: bool


@dataclass(frozen=True, slots=True)
class Shaped:
    """A log cut to what is shown: ``lines`` of the log are in ``text``, the last ones."""

    text: str
    lines: int
    truncated: bool


async def collect(scene: Scene) -> list[Draft]:
    """Read the logs that matter, each an item of its own; a refusal that all share is said once."""
    pods = (await seen(scene))["pods"]
    drafts = await asyncio.gather(*(_read(scene, stream) for stream in streams(pods)))
    kept: list[Draft] = []
    for draft in drafts:
        if draft is not None and not (draft.error and draft.error in [one.error for one in kept]):
            kept.append(draft)
    return kept


def streams(pods: Sequence[Mapping[str, Any]]) -> list[Stream]:
    """Choose which logs to read: of the first three pods that fare badly, or of two when all are fine.

    Beside pods that fail, the log of one that runs well says nothing, unless it is the one that the alert named.
    """
    chosen: list[Stream] = []
    all_well = all(badness(pod)[0] == WELL for pod in pods)
    telling = [pod for pod in pods if badness(pod)[0] < WELL or pod.get("named")]
    for pod in pods[:_MAX_WELL] if all_well else telling[:MAX_PODS]:
        containers = [one for one in pod["containers"] if _has_run(one) and not _is_done(one)]
        failing = [one for one in containers if not one["ready"] or one["restarts"]]
        for one in failing or [one for one in containers if one["name"] not in _SIDECARS]:
            chosen.append(Stream(pod["name"], one["name"], previous=False))
            # While it waits to be started again, the current log is that of the run that failed
            # (kubernetes/pkg/kubelet, validateContainerLogStatus).
            waiting = (one["state"] or {}).get("kind") == "waiting"
            if one["restarts"] and one["last_state"] and not waiting:
                chosen.append(Stream(pod["name"], one["name"], previous=True))
    return chosen[:MAX_STREAMS]


def _has_run(one: Mapping[str, Any]) -> bool:
    state = one["state"] or {}
    return state.get("kind") in ("running", "terminated") or one["last_state"] is not None or one["restarts"] > 0


def _is_done(one: Mapping[str, Any]) -> bool:
    state = one["state"] or {}
    return bool(one["init"]) and state.get("kind") == "terminated" and state.get("exit_code") == 0


async def _read(scene: Scene, stream: Stream) -> Draft | None:
    resource, namespace = KINDS["Pod"], scene.found.namespace
    path = resource.path(namespace, stream.pod, "log")
    query = {"container": stream.container, "tailLines": str(READ_LINES)}
    if stream.previous:
        query["previous"] = "true"
    title = f"{'previous ' if stream.previous else ''}log of container {stream.container} in pod {stream.pod}"
    asked = f"GET {path}?" + "&".join(f"{key}={value}" for key, value in query.items())
    try:
        # The API server asks the kubelet: the logs of a dead node hang, those of others must not be lost with them.
        async with asyncio.timeout_at(scene.deadline - _MARGIN_SECONDS):
            tail = await scene.kubernetes.tail(path, query, limit_bytes=READ_BYTES)
    except TimeoutError:
        sentence = f"the log did not arrive in time from cluster {scene.kubernetes.cluster}: is the pod's node up?"
        return Draft(kind=KIND, title=title, query=asked, error=sentence)
    except (KubernetesError, KubernetesUnreachable) as error:
        if isinstance(error, KubernetesError) and error.status in (400, 404):
            # The container has not started after all, or the pod or its last run is gone: there is no log to miss.
            return None
        sentence = str(unreadable(error, scene.kubernetes, "get", resource, namespace, stream.pod, "log"))
        return Draft(kind=KIND, title=title, query=asked, error=sentence)
    shaped = await asyncio.to_thread(shape, tail, scene.redactor)
    if not shaped.lines and stream.previous:
        return None
    return Draft(
        kind=KIND,
        title=title,
        query=asked,
        text=shaped.text,
        facts={
            "pod": stream.pod,
            "container": stream.container,
            "previous": stream.previous,
            "lines": shaped.lines,
            "truncated": shaped.truncated,
        },
    )


def shape(tail: Tail, redactor: Redactor) -> Shaped:
    """Redact a log, then keep its last whole lines under the bound, equal neighbours once, and say what is missing."""
    text = redactor.text(plain(tail.text.replace("\r\n", "\n").replace("\r", "\n")))
    lines = text.split("\n")
    if tail.cut:
        lines = lines[1:]
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        return Shaped("the log is empty", 0, truncated=bool(tail.cut))
    kept: list[str] = []
    shown = room = 0
    position = len(lines)
    while position and len(kept) < MAX_LINES:
        line = lines[position - 1]
        same = 1
        while position - same > 0 and lines[position - same - 1] == line:
            same += 1
        entry = shorten(line, _MAX_LINE) + (f"  (the same line {same} times)" if same > 1 else "")
        if room + len(entry) + 1 > MAX_TEXT - 160:
            break
        kept.append(entry)
        room += len(entry) + 1
        shown += same
        position -= same
    kept.reverse()
    truncated = bool(position or tail.cut or not tail.complete)
    if position or tail.cut:
        more = (
            f"{position} earlier lines" if not tail.cut else f"{position} earlier lines that were read, and all before,"
        )
        kept.insert(0, f"({more} left out)")
    if not tail.complete:
        kept.append("(the log was too large to be read to its end: its newest lines are missing)")
    return Shaped("\n".join(kept), shown, truncated)
