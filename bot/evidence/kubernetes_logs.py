"""Logs from Kubernetes: of all pods of a workload, every container that ran, now and before its last restart."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.clients.kubernetes import Kubernetes, KubernetesError, KubernetesUnreachable, Tail
from bot.domain.incident import Subject
from bot.evidence.lines import plain
from bot.evidence.log_source import TOTAL_CHARACTERS, Log, Logs, Wanted, divided, written
from bot.evidence.pods import seen
from bot.evidence.reading import KINDS, Unreadable, unreadable
from bot.evidence.scene import Scene
from bot.evidence.subject import find
from bot.redact import Redactor

MAX_LOGS = 40
"""Logs that are read; of the pods that fare worst first."""
AT_ONCE = 4
FIRST_TAIL = 60_000
LAST_TAIL = 400
_MARGIN_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class _Stream:
    pod: str
    container: str
    previous: bool

    @property
    def name(self) -> str:
        return f"pod {self.pod}, container {self.container}" + (", before its restart" if self.previous else "")


class KubernetesLogs:
    """A ``LogSource`` over the API server, which asks the kubelets: what they have not rotated away yet."""

    def __init__(self, kubernetes: Kubernetes, redactor: Redactor) -> None:
        self._kubernetes = kubernetes
        self._redactor = redactor

    async def read(self, wanted: Wanted, *, deadline: float) -> Logs:
        """Read the workload's logs; what is named may also be a Service or a pod."""
        source = f"kubernetes:{self._kubernetes.cluster}"
        pods = KINDS["Pod"].path(wanted.namespace)
        query = f"GET {pods}/…/log?timestamps=true&sinceTime={written(wanted.baseline)}"
        cluster = self._kubernetes.cluster
        subject = Subject(cluster, cluster, wanted.namespace, wanted.kind, wanted.workload)
        try:
            async with asyncio.timeout_at(deadline - _MARGIN_SECONDS):
                found = await find(subject, self._kubernetes)
                scene = Scene(
                    found,
                    self._kubernetes,
                    self._redactor,
                    now=wanted.until,
                    alert_started_at=wanted.since,
                    deadline=deadline,
                )
                streams, left = _streams((await seen(scene))["pods"])
        except Unreadable as error:
            return Logs(source, query, (), (str(error),))
        except TimeoutError:
            late = f"cluster {self._kubernetes.cluster} did not say in time which pods {wanted.workload} has"
            return Logs(source, query, (), (late,))
        room = TOTAL_CHARACTERS // max(1, len(streams))
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(stream: _Stream) -> Log | str | None:
            async with slots:
                return await self._one(stream, wanted, deadline, min(room, TOTAL_CHARACTERS // 6))

        answers = await asyncio.gather(*(one(stream) for stream in streams))
        problems = [answer for answer in answers if isinstance(answer, str)]
        if left:
            problems.append(f"{left} more logs were not read: only {MAX_LOGS} are at a time")
        logs = tuple(answer for answer in answers if isinstance(answer, Log))
        return Logs(source, query, logs, tuple(dict.fromkeys(problems)))

    async def _one(self, stream: _Stream, wanted: Wanted, deadline: float, room: int) -> Log | str | None:
        """Read one log: None if there is none, a sentence if it cannot be read."""
        resource = KINDS["Pod"]
        path = resource.path(wanted.namespace, stream.pod, "log")
        query = {"container": stream.container, "timestamps": "true", "sinceTime": written(wanted.baseline)}
        if stream.previous:
            query["previous"] = "true"
        try:
            async with asyncio.timeout_at(deadline - _MARGIN_SECONDS):
                tail, whole = await self._tail(path, query, room)
        except TimeoutError:
            return f"the log of {stream.name} did not arrive in time: is the pod's node up?"
        except (KubernetesError, KubernetesUnreachable) as error:
            if isinstance(error, KubernetesError) and error.status in (400, 404):
                return None
            return str(unreadable(error, self._kubernetes, "get", resource, wanted.namespace, stream.pod, "log"))
        complete = whole and tail.complete and not tail.cut
        return await asyncio.to_thread(_log, stream.name, tail, wanted, self._redactor, complete=complete)

    async def _tail(self, path: str, query: Mapping[str, str], room: int) -> tuple[Tail, bool]:
        """Read the end of a log. The API cuts at the wrong end, so fewer lines are asked for until the last is there.

        Returns with it whether no line was left out by that.
        """
        lines = FIRST_TAIL
        while True:
            tail = await self._kubernetes.tail(path, {**query, "tailLines": str(lines)}, limit_bytes=room)
            if tail.complete or lines <= LAST_TAIL:
                return tail, tail.text.count("\n") < lines
            lines //= 8


def _log(name: str, tail: Tail, wanted: Wanted, redactor: Redactor, *, complete: bool) -> Log:
    text = plain(tail.text.replace("\r\n", "\n").replace("\r", "\n"))
    if tail.cut:  # the first line is only the end of one
        text = text.partition("\n")[2]
    before, within = divided(redactor.text(text), wanted)
    return Log(redactor.text(name), before, within, complete)


def _streams(pods: Sequence[Mapping[str, Any]]) -> tuple[list[_Stream], int]:
    """Name the logs of all containers that ran, those of the worst pods first, and how many more there are."""
    found: list[_Stream] = []
    for pod in pods:
        for one in pod["containers"]:
            state = (one["state"] or {}).get("kind")
            done = bool(one["init"]) and state == "terminated" and one["state"].get("exit_code") == 0
            if done or not (state in ("running", "terminated") or one["last_state"] or one["restarts"]):
                continue
            found.append(_Stream(pod["name"], one["name"], previous=False))
            # While it waits to be started again, the current log is that of the run before.
            if one["restarts"] and one["last_state"] and state != "waiting":
                found.append(_Stream(pod["name"], one["name"], previous=True))
    return found[:MAX_LOGS], max(0, len(found) - MAX_LOGS)
