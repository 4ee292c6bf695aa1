"""The logs of the worst pods' containers, now and before their last restart: their end and their most telling lines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bot.clients.kubernetes import KubernetesError, KubernetesUnreachable, Tail
from bot.condense.logs.digest import digest, rank
from bot.condense.logs.reader import Reader
from bot.evidence.lines import MAX_TEXT, plain, shorten
from bot.evidence.pods import WELL, badness, seen
from bot.evidence.reading import KINDS, unreadable
from bot.evidence.scene import Draft, Scene
from bot.redact import Redactor

KIND = "logs"
MAX_PODS = 3
MAX_STREAMS = 6
_MAX_WELL = 2
READ_LINES = 2000
READ_BYTES = 256 * 1024
MAX_LINES = 150
_MAX_LINE = 800
_MARGIN_SECONDS = 0.2
_NOTES = 160
_LEAP_YEAR = 2000
_MAX_HEALTHY = 2
# What is read of pods that are well must not keep those waiting that are not.
_HEALTHY_SECONDS = 3.0
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
    """A log cut to what is shown: ``lines`` of the log are in ``text``."""

    text: str
    lines: int
    truncated: bool


async def collect(scene: Scene) -> list[Draft]:
    """Read the logs that matter, each an item of its own; a refusal that all share is said once."""
    pods = (await seen(scene))["pods"]
    chosen = streams(pods)
    healthy = {name: asyncio.ensure_future(_healthy(scene, one)) for name, one in well(pods, chosen).items()}
    try:
        drafts = await asyncio.gather(*(_read(scene, stream, healthy.get(stream.container)) for stream in chosen))
    finally:
        for reading in healthy.values():
            reading.cancel()
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


def well(pods: Sequence[Mapping[str, Any]], chosen: Sequence[Stream]) -> dict[str, Stream]:
    """Choose a log to compare with for each container that is read: that of a pod which runs well beside the failing.

    Where nothing fails there is nothing to tell apart.
    """
    if all(badness(pod)[0] == WELL for pod in pods):
        return {}
    read = {stream.pod for stream in chosen}
    found: dict[str, Stream] = {}
    for pod in pods:
        if badness(pod)[0] == WELL and pod["name"] not in read and not pod.get("deleted_at"):
            for one in pod["containers"]:
                if one["ready"] and any(stream.container == one["name"] for stream in chosen):
                    found.setdefault(one["name"], Stream(pod["name"], one["name"], previous=False))
    return dict(list(found.items())[:_MAX_HEALTHY])


async def _healthy(scene: Scene, stream: Stream) -> str:
    """Read the log of a container that is well; without it there is nothing to compare with, and no more is lost."""
    path = KINDS["Pod"].path(scene.found.namespace, stream.pod, "log")
    query = {"container": stream.container, "tailLines": str(READ_LINES)}
    try:
        async with asyncio.timeout(_HEALTHY_SECONDS), asyncio.timeout_at(scene.deadline - 2 * _MARGIN_SECONDS):
            text = (await scene.kubernetes.tail(path, query, limit_bytes=READ_BYTES)).text
    except (TimeoutError, KubernetesError, KubernetesUnreachable):
        return ""
    return await asyncio.to_thread(scene.redactor.text, plain(text))


def _has_run(one: Mapping[str, Any]) -> bool:
    state = one["state"] or {}
    return state.get("kind") in ("running", "terminated") or one["last_state"] is not None or one["restarts"] > 0


def _is_done(one: Mapping[str, Any]) -> bool:
    state = one["state"] or {}
    return bool(one["init"]) and state.get("kind") == "terminated" and state.get("exit_code") == 0


async def _read(scene: Scene, stream: Stream, healthy: asyncio.Future[str] | None) -> Draft | None:
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
    beside = await asyncio.shield(healthy) if healthy is not None else ""
    shaped = await asyncio.to_thread(shape, tail, scene.redactor, well=beside)
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


def shape(tail: Tail, redactor: Redactor, *, well: str = "") -> Shaped:
    """Redact a log and show it whole if it fits; else its last lines and, of those before, the most telling ones.

    ``well`` is the log of a pod that runs well, if there is one: what it says too tells less. What is missing is said.
    """
    text = redactor.text(plain(tail.text.replace("\r\n", "\n").replace("\r", "\n")))
    lines = text.split("\n")
    if tail.cut:
        lines = lines[1:]
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        return Shaped("the log is empty", 0, truncated=bool(tail.cut))
    kept, shown, position = _last(lines, MAX_TEXT - _NOTES)
    if position:
        kept, shown, position = _last(lines, MAX_TEXT // 3)
        telling = _telling(lines[:position], well, MAX_TEXT - _NOTES - sum(len(entry) + 1 for entry in kept))
        kept = [*telling.entries, *kept]
        shown += telling.shown
    if tail.cut:
        kept.insert(0, "(older lines were not read)")
    if not tail.complete:
        kept.append("(the log was too large to be read to its end: its newest lines are missing)")
    return Shaped("\n".join(kept), shown, truncated=bool(position or tail.cut or not tail.complete))


def _last(lines: Sequence[str], room: int) -> tuple[list[str], int, int]:
    """Take lines from the end while they fit, equal neighbours once. Returns the entries, how many lines they stand
    for, and how many lines are before them."""
    kept: list[str] = []
    shown = 0
    position = len(lines)
    while position and len(kept) < MAX_LINES:
        line = lines[position - 1]
        same = 1
        while position - same > 0 and lines[position - same - 1] == line:
            same += 1
        entry = shorten(line, _MAX_LINE) + (f"  (the same line {same} times)" if same > 1 else "")
        if len(entry) + 1 > room:
            break
        kept.append(entry)
        room -= len(entry) + 1
        shown += same
        position -= same
    kept.reverse()
    return kept, shown, position


class _Telling(NamedTuple):
    entries: list[str]
    shown: int


def _telling(lines: Sequence[str], well: str, room: int) -> _Telling:
    """Choose the lines most worth reading that fit into ``room`` characters, as they are, with every gap counted."""
    reader = Reader(year=_LEAP_YEAR)
    if well:
        reader.feed(well.encode("utf-8", "replace") + b"\n")
        reader.mark_baseline()
    reader.feed("\n".join(lines).encode("utf-8", "replace"))
    # The lines are redacted already.
    ranking = rank(reader.finish(), lambda text: text)
    budget = room // 2
    while True:
        chosen = [number for number in digest(ranking, budget).kept if number <= len(lines)]
        entries: list[str] = []
        before = 0
        for number in [*chosen, len(lines) + 1]:
            if number > before + 1:
                entries.append(f"({number - before - 1} lines left out)")
            if number <= len(lines):
                entries.append(shorten(lines[number - 1], _MAX_LINE))
            before = number
        if sum(len(entry) + 1 for entry in entries) <= room or not chosen:
            return _Telling(entries, len(chosen))
        budget = budget * 3 // 4
