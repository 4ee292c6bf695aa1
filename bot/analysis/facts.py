"""The facts of an incident's evidence as typed data, each with the id to cite. What is odd or missing is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.analysis.error_lines import last_words
from bot.domain.alert import Alert
from bot.domain.evidence import Evidence
from bot.domain.incident import Incident

STARTING_SECONDS = 120
"""A pod younger than this that shows no trouble is still on its way, and no sign that something is wrong."""

_PULL = re.compile(r"[^/#\s]+/[^/#\s]+#[0-9]{1,9}")
_STARTING = frozenset({"", "ContainerCreating", "PodInitializing"})


@dataclass(frozen=True, slots=True)
class Condition:
    """A status condition of a workload, pod or node, with Kubernetes' own words."""

    type: str
    status: str
    reason: str
    message: str
    since: int | None


@dataclass(frozen=True, slots=True)
class State:
    """A container's present or last state; ``kind`` is waiting, running or terminated."""

    kind: str
    reason: str
    message: str
    exit_code: int | None
    signal: int | None


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod as its status says."""

    name: str
    image: str
    ready: bool
    restarts: int
    init: bool
    state: State
    last_state: State

    @property
    def ended(self) -> State | None:
        """How the container last ended: now terminated, or terminated before it was started again."""
        return next((s for s in (self.state, self.last_state) if s.kind == "terminated"), None)


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod, with the evidence id that shows it."""

    name: str
    phase: str
    node: str
    ready: bool
    restarts: int
    age_seconds: int | None
    reason: str
    message: str
    template_hash: str
    conditions: tuple[Condition, ...]
    containers: tuple[Container, ...]
    evidence: str

    @property
    def failing(self) -> bool:
        """Whether it should be ready and is not: a job's pod that is done, or one that just starts, is not failing."""
        return not self.ready and self.phase != "Succeeded" and not self._starting

    @property
    def _starting(self) -> bool:
        young = self.age_seconds is not None and self.age_seconds <= STARTING_SECONDS
        untroubled = all(
            container.restarts == 0 and container.state.kind != "terminated" and container.state.reason in _STARTING
            for container in self.containers
        )
        return young and untroubled


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """What the workload's template asks for in one container."""

    name: str
    image: str
    requests: Mapping[str, str]
    limits: Mapping[str, str]
    command: str
    liveness: str
    readiness: str


@dataclass(frozen=True, slots=True)
class CodeChange:
    """What was merged, pushed or deployed before the alert, and how well it matches the subject (0 to 1)."""

    name: str
    verb: str
    seconds_before: int
    match: float
    why: str
    risk: str
    risk_says: str
    evidence: str
    merged: bool = False
    """Whether it is a pull request that was merged, ``name`` being OWNER/NAME#NUMBER."""


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A workflow run that failed on the default branch, by its number ``run``."""

    repository: str
    run: int
    workflow: str
    seconds_before: int
    what: str
    flaky: str
    flaky_why: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Workload:
    """The object that the incident is about."""

    kind: str
    namespace: str
    name: str
    desired: int | None
    updated: int | None
    ready: int | None
    available: int | None
    paused: bool
    conditions: tuple[Condition, ...]
    containers: tuple[ContainerSpec, ...]
    owners: tuple[tuple[str, str], ...]
    evidence: str


@dataclass(frozen=True, slots=True)
class Event:
    """One event, repeated ``count`` times."""

    type: str
    reason: str
    message: str
    count: int
    kind: str
    name: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Change:
    """One field that a revision changed against the one before."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of the rollout history; ``name`` is that of its ReplicaSet or ControllerRevision."""

    number: int
    name: str
    created_at: int | None
    replicas: int | None
    ready: int | None
    images: tuple[str, ...]
    change_cause: str
    changes: tuple[Change, ...]
    evidence: str


@dataclass(frozen=True, slots=True)
class Log:
    """One log stream; ``previous`` is that of the container before its last restart."""

    pod: str
    container: str
    previous: bool
    text: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Node:
    """One node where it matters."""

    name: str
    ready: bool
    conditions: tuple[Condition, ...]
    unschedulable: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one incident. ``failed`` could not be read; ``started_at`` is when the first alert began."""

    incident: Incident
    alerts: tuple[Alert, ...]
    workload: Workload | None
    pods: tuple[Pod, ...]
    events: tuple[Event, ...]
    revisions: tuple[Revision, ...]
    logs: tuple[Log, ...]
    nodes: tuple[Node, ...]
    failed: tuple[Evidence, ...]
    started_at: int
    code_changes: tuple[CodeChange, ...] = ()
    failed_runs: tuple[FailedRun, ...] = ()

    def pod(self, name: str) -> Pod | None:
        """Return the pod of this name, if it was read."""
        return next((pod for pod in self.pods if pod.name == name), None)

    def spec(self, container: str) -> ContainerSpec | None:
        """Return what the workload's template asks for in the container of this name."""
        containers = self.workload.containers if self.workload else ()
        return next((spec for spec in containers if spec.name == container), None)

    def troubling_events(self) -> Iterator[Event]:
        """Yield the events that may still matter: those about a pod that is ready by now are over."""
        for event in self.events:
            pod = self.pod(event.name) if event.kind == "Pod" else None
            if pod is None or not pod.ready:
                yield event

    def by_container(self, test: Callable[[Container], bool]) -> list[tuple[str, list[tuple[Pod, Container]]]]:
        """Return the containers that pass ``test`` with their pods, by container name: replicas tell one story."""
        found: dict[str, list[tuple[Pod, Container]]] = {}
        for pod in self.pods:
            for container in filter(test, pod.containers):
                found.setdefault(container.name, []).append((pod, container))
        return list(found.items())

    def last_words(self, pod: str, container: str = "") -> tuple[str, str]:
        """Return what a pod's log says of its end and the id to cite; the log before the last restart goes first."""
        streams = [log for log in self.logs if log.pod == pod and (not container or log.container in ("", container))]
        for log in sorted(streams, key=lambda log: not log.previous):
            words = last_words(log.text)
            if words:
                return words, log.evidence
        return "", ""

    @property
    def namespace(self) -> str:
        """The namespace of what the evidence shows, or else the one that the alert names."""
        return self.workload.namespace if self.workload else self.incident.subject.namespace

    @property
    def label(self) -> str:
        """What to call the subject in a sentence: ``checkout``, or the alert's own name."""
        if self.workload and self.workload.name:
            return self.workload.name
        return self.incident.subject.name or self.incident.labels.get("alertname", "") or self.incident.title


def read(incident: Incident, alerts: Sequence[Alert], evidence: Sequence[Evidence]) -> Facts:
    """Read the facts of ``evidence``, of each kind the latest. Total: facts of a wrong shape are left out."""
    latest = {item.kind: max(i.collected_at for i in evidence if i.kind == item.kind) for item in evidence}
    current = [item for item in evidence if item.collected_at == latest[item.kind]]
    good = [item for item in current if item.error is None]
    workloads = [w for item in good if item.kind == "workload" for w in _workload(item)]
    starts = [alert.starts_at for alert in alerts if alert.status == "firing"] or [incident.opened_at]
    return Facts(
        incident=incident,
        alerts=tuple(alerts),
        workload=workloads[0] if workloads else None,
        pods=tuple(_pod(p, i.id) for i in good if i.kind == "pods" for p in _maps(i.facts, "pods")),
        events=tuple(_event(e, i.id) for i in good if i.kind == "events" for e in _maps(i.facts, "events")),
        revisions=tuple(
            sorted(
                (_revision(r, i.id) for i in good if i.kind == "rollout" for r in _maps(i.facts, "revisions")),
                key=lambda revision: -revision.number,
            )
        ),
        logs=tuple(_log(i) for i in good if i.kind == "logs"),
        nodes=tuple(_node(n, i.id) for i in good if i.kind == "nodes" for n in _maps(i.facts, "nodes")),
        code_changes=tuple(
            _code_change(c, i.id) for i in good if i.kind == "changes" for c in _maps(i.facts, "changes")
        ),
        failed_runs=tuple(_failed_run(r, i.id) for i in good if i.kind == "ci" for r in _maps(i.facts, "runs")),
        failed=tuple(item for item in current if item.error is not None),
        started_at=min(starts),
    )


def _workload(item: Evidence) -> Iterable[Workload]:
    facts = item.facts
    if _text(facts, "name"):
        yield Workload(
            kind=_text(facts, "kind"),
            namespace=_text(facts, "namespace"),
            name=_text(facts, "name"),
            desired=_number(facts, "desired"),
            updated=_number(facts, "updated"),
            ready=_number(facts, "ready"),
            available=_number(facts, "available"),
            paused=facts.get("paused") is True,
            conditions=_conditions(facts),
            containers=tuple(map(_spec, _maps(facts, "containers"))),
            owners=tuple((_text(owner, "kind"), _text(owner, "name")) for owner in _maps(facts, "owners")),
            evidence=item.id,
        )


def _failed_run(data: Mapping[str, Any], evidence: str) -> FailedRun:
    return FailedRun(
        repository=_text(data, "repository"),
        run=_number(data, "run") or 0,
        workflow=_text(data, "workflow"),
        seconds_before=_number(data, "seconds_before") or 0,
        what=_text(data, "what"),
        flaky=_text(data, "flaky"),
        flaky_why=_text(data, "flaky_why"),
        evidence=evidence,
    )


def _code_change(data: Mapping[str, Any], evidence: str) -> CodeChange:
    match = data.get("match")
    return CodeChange(
        name=_text(data, "name"),
        verb=_text(data, "verb"),
        seconds_before=_number(data, "seconds_before") or 0,
        match=float(match) if isinstance(match, (int, float)) else 0.0,
        why=_text(data, "why"),
        risk=_text(data, "risk"),
        risk_says=_text(data, "risk_says"),
        evidence=evidence,
        merged=data.get("kind") == "merge" and _PULL.fullmatch(_text(data, "name")) is not None,
    )


def _spec(data: Mapping[str, Any]) -> ContainerSpec:
    return ContainerSpec(
        name=_text(data, "name"),
        image=_text(data, "image"),
        requests=_texts(data.get("requests")),
        limits=_texts(data.get("limits")),
        command=_words(data.get("command")),
        liveness=_words(data.get("liveness")),
        readiness=_words(data.get("readiness")),
    )


def _pod(data: Mapping[str, Any], evidence: str) -> Pod:
    return Pod(
        name=_text(data, "name"),
        phase=_text(data, "phase"),
        node=_text(data, "node"),
        ready=data.get("ready") is True,
        restarts=_number(data, "restarts") or 0,
        age_seconds=_number(data, "age_seconds"),
        reason=_text(data, "reason"),
        message=_text(data, "message"),
        template_hash=_text(data, "template_hash"),
        conditions=_conditions(data),
        containers=tuple(map(_container, _maps(data, "containers"))),
        evidence=evidence,
    )


def _container(data: Mapping[str, Any]) -> Container:
    return Container(
        name=_text(data, "name"),
        image=_text(data, "image"),
        ready=data.get("ready") is True,
        restarts=_number(data, "restarts") or 0,
        init=data.get("init") is True,
        state=_state(data.get("state")),
        last_state=_state(data.get("last_state")),
    )


def _state(data: Any) -> State:
    data = data if isinstance(data, Mapping) else {}
    return State(
        kind=_text(data, "kind"),
        reason=_text(data, "reason"),
        message=_text(data, "message"),
        exit_code=_number(data, "exit_code"),
        signal=_number(data, "signal"),
    )


def _conditions(data: Mapping[str, Any]) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            type=_text(item, "type"),
            status=_text(item, "status"),
            reason=_text(item, "reason"),
            message=_text(item, "message"),
            since=_time(item.get("since")),
        )
        for item in _maps(data, "conditions")
    )


def _event(data: Mapping[str, Any], evidence: str) -> Event:
    about = data.get("object")
    about = about if isinstance(about, Mapping) else {}
    return Event(
        type=_text(data, "type"),
        reason=_text(data, "reason"),
        message=_text(data, "message"),
        count=_number(data, "count") or 1,
        kind=_text(about, "kind"),
        name=_text(about, "name"),
        evidence=evidence,
    )


def _revision(data: Mapping[str, Any], evidence: str) -> Revision:
    images = data.get("images")
    return Revision(
        number=_number(data, "revision") or 0,
        name=_text(data, "replicaset") or _text(data, "name"),
        created_at=_time(data.get("created_at")),
        replicas=_number(data, "replicas"),
        ready=_number(data, "ready"),
        images=tuple(image for image in images if isinstance(image, str)) if isinstance(images, Sequence) else (),
        change_cause=_text(data, "change_cause"),
        changes=tuple(
            Change(_text(change, "path"), _words(change.get("before")), _words(change.get("after")))
            for change in _maps(data, "changes")
        ),
        evidence=evidence,
    )


def _log(item: Evidence) -> Log:
    return Log(
        pod=_text(item.facts, "pod"),
        container=_text(item.facts, "container"),
        previous=item.facts.get("previous") is True,
        text=item.text,
        evidence=item.id,
    )


def _node(data: Mapping[str, Any], evidence: str) -> Node:
    return Node(
        name=_text(data, "name"),
        ready=data.get("ready") is True,
        conditions=_conditions(data),
        unschedulable=data.get("unschedulable") is True,
        evidence=evidence,
    )


def _maps(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = data.get(key)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, Sequence) else []


def _text(data: Mapping[str, Any], key: str) -> str:
    found = data.get(key)
    return found if isinstance(found, str) else ""


def _texts(data: Any) -> Mapping[str, str]:
    return {str(key): str(value) for key, value in data.items()} if isinstance(data, Mapping) else {}


def _words(data: Any) -> str:
    """Show a value of any shape in a sentence: a command's list as words, nothing as nothing."""
    if data is None:
        return ""
    if isinstance(data, Sequence) and not isinstance(data, str):
        return " ".join(map(str, data))
    return str(data)


def _number(data: Mapping[str, Any], key: str) -> int | None:
    found = data.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _time(data: Any) -> int | None:
    """Read microseconds, or a timestamp as Kubernetes writes it."""
    if isinstance(data, int) and not isinstance(data, bool):
        return data
    if isinstance(data, str):
        try:
            moment = datetime.fromisoformat(data)
        except ValueError:
            return None
        return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1_000_000)
    return None
