"""Collect: every collector at once under one deadline, and what they found as numbered evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from bot.clients.kubernetes import Kubernetes
from bot.domain.evidence import Evidence
from bot.domain.incident import Subject
from bot.evidence import events, logs, nodes, pods, rollout, workload
from bot.evidence.lines import MAX_TEXT, one_line, shorten
from bot.evidence.reading import Unreadable
from bot.evidence.scene import Draft, Scene
from bot.evidence.subject import find
from bot.redact import Redactor

Collector = Callable[[Scene], Awaitable[list[Draft]]]

# The order is the order of the ids, whichever collector is ready first.
CATALOGUE: Mapping[str, Collector] = {
    workload.KIND: workload.collect,
    pods.KIND: pods.collect,
    events.KIND: events.collect,
    rollout.KIND: rollout.collect,
    logs.KIND: logs.collect,
    nodes.KIND: nodes.collect,
}
# A node is nobody's workload: only its own facts and events are there to be had.
_OF_A_NODE = (events.KIND, nodes.KIND)
_SLOW = "its API server is slow or does not answer"

log = structlog.get_logger(__name__)


async def collect(
    subject: Subject,
    kubernetes: Kubernetes | None,
    *,
    now: int,
    deadline_seconds: float,
    redactor: Redactor,
    first_number: int = 1,
    alert_started_at: int,
) -> tuple[Evidence, ...]:
    """Gather the evidence about ``subject`` within ``deadline_seconds``; it never raises for what the cluster does.

    ``kubernetes`` is the reader of the subject's cluster, or None if that cluster is not configured. Times are
    microseconds. A collector that fails or is late becomes an item with ``error``; ids count up from ``first_number``
    in catalogue order.
    """
    if kubernetes is not None and kubernetes.cluster != subject.cluster:
        raise ValueError(f"the subject is in cluster {subject.cluster}, the client in {kubernetes.cluster}")
    loop = asyncio.get_running_loop()
    deadline = loop.time() + deadline_seconds
    try:
        if kubernetes is None:
            raise Unreadable(_unknown_cluster(subject))
        async with asyncio.timeout_at(deadline):
            found = await find(subject, kubernetes)
    except TimeoutError:
        late = f"the subject was not found within {deadline_seconds:g} s in cluster {subject.cluster}: {_SLOW}"
        drafts = [_failed(workload.KIND, _name(subject), late)]
    except Exception as error:
        drafts = [_failed(workload.KIND, _name(subject), _sentence(error, workload.KIND))]
    else:
        scene = Scene(found, kubernetes, redactor, now=now, alert_started_at=alert_started_at, deadline=deadline)
        drafts = await _gather(scene, deadline_seconds)
    source = redactor.text(f"kubernetes:{subject.cluster or one_line(subject.cluster_label, 100)}")
    return tuple(
        Evidence(
            id=f"E{number}",
            kind=draft.kind,
            title=redactor.text(draft.title),
            source=source,
            query=redactor.text(draft.query),
            collected_at=now,
            text=shorten(redactor.text(draft.text), MAX_TEXT),
            facts=draft.facts,
            error=None if draft.error is None else redactor.text(draft.error),
        )
        for number, draft in enumerate(drafts, first_number)
    )


async def _gather(scene: Scene, seconds: float) -> list[Draft]:
    kinds = [kind for kind in CATALOGUE if scene.found.kind != "Node" or kind in _OF_A_NODE]
    tasks = {kind: asyncio.ensure_future(CATALOGUE[kind](scene)) for kind in kinds}
    try:
        await asyncio.wait(tasks.values(), timeout=max(0.0, scene.deadline - asyncio.get_running_loop().time()))
    finally:
        late = [task for task in tasks.values() if task.cancel()]
    await asyncio.gather(*late, return_exceptions=True)
    return [draft for kind, task in tasks.items() for draft in _outcome(kind, task, scene, seconds)]


def _outcome(kind: str, task: asyncio.Future[list[Draft]], scene: Scene, seconds: float) -> list[Draft]:
    title = f"{kind} of {scene.found.kind} {scene.found.namespace}/{scene.found.name}"
    if task.cancelled():
        late = f"the {kind} did not arrive within {seconds:g} s from cluster {scene.kubernetes.cluster}: {_SLOW}"
        return [_failed(kind, title, late)]
    error = task.exception()
    return task.result() if error is None else [_failed(kind, title, _sentence(error, kind))]


def _sentence(error: BaseException, kind: str) -> str:
    if isinstance(error, Unreadable):
        return str(error)
    log.error("evidence.not_understood", kind=kind, exc_info=error)
    return f"the {kind} could not be understood ({type(error).__name__}): please report this with the bot's log"


def _failed(kind: str, title: str, sentence: str) -> Draft:
    return Draft(kind=kind, title=title, query="", error=sentence)


def _name(subject: Subject) -> str:
    return " ".join(part for part in (subject.kind, f"{subject.namespace}/{subject.name}".strip("/")) if part)


def _unknown_cluster(subject: Subject) -> str:
    if not subject.cluster_label:
        return "the alert does not say which cluster it is about, and no default cluster is configured"
    return (
        f"cluster {one_line(subject.cluster_label, 100)!r} of the alert is not configured, so nothing was read: "
        "add it to the configured clusters"
    )
