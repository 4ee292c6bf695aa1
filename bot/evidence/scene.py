"""The scene: the subject's objects that several collectors look at, each read once however many ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot.clients.kubernetes import Kubernetes
from bot.evidence.lines import bounded
from bot.evidence.reading import Unreadable, items, selector
from bot.evidence.subject import Found, controller
from bot.redact import Redactor

T = TypeVar("T")
Objects = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Draft:
    """Evidence before it has its number: what one collector found, redacted and bounded."""

    kind: str
    title: str
    query: str
    text: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


class Scene:
    """What a collector is given: the subject, its cluster, the time, and the objects that belong to the subject."""

    def __init__(
        self,
        found: Found,
        kubernetes: Kubernetes,
        redactor: Redactor,
        *,
        now: int,
        alert_started_at: int,
        deadline: float,
    ) -> None:
        self.found = found
        self.kubernetes = kubernetes
        self.redactor = redactor
        self.now = now
        self.alert_started_at = alert_started_at
        # In the time of the event loop: what is not here by then does not count.
        self.deadline = deadline
        self._readings: dict[str, asyncio.Future[Any]] = {}

    async def clean(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Redact facts, then bound them: never the other way, or half a secret would pass for none. Off the loop."""
        cleaned: dict[str, Any] = await asyncio.to_thread(lambda: bounded(self.redactor.data(facts)))
        return cleaned

    async def pods(self) -> Objects:
        """The subject's pods, at most 500. Raises ``Unreadable``."""
        return await self.once("pods", self._read_pods)

    async def replica_sets(self) -> Objects:
        """The ReplicaSets that the subject, a Deployment, controls. Raises ``Unreadable``."""
        return await self.once("replica_sets", self._read_replica_sets)

    async def once(self, name: str, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Have something that several collectors need read once; ``name`` tells it apart."""
        if name not in self._readings:
            self._readings[name] = asyncio.ensure_future(read())
        # Cancelling one who waits cancels the reading for all: they share their deadline.
        result: T = await self._readings[name]
        return result

    async def _read_pods(self) -> Objects:
        found = self.found
        if found.kind == "Pod":
            return [found.workload]
        if found.kind == "CronJob":
            lists = [await self._selected(job) for job in found.jobs]
            return [pod for pods in lists for pod in pods]
        pods = await self._selected(found.workload)
        owners = {found.uid}
        if found.kind == "Deployment":
            try:
                owners = {str(owned["metadata"].get("uid")) for owned in await self.replica_sets()}
            except Unreadable:
                return pods
        return [pod for pod in pods if controller(pod).get("uid") in owners]

    async def _selected(self, owner: Mapping[str, Any]) -> Objects:
        query = selector((owner.get("spec") or {}).get("selector") or {})
        if not query:
            return []
        return await items(self.kubernetes, "Pod", self.found.namespace, {"labelSelector": query})

    async def _read_replica_sets(self) -> Objects:
        query = selector((self.found.workload.get("spec") or {}).get("selector") or {})
        owned = await items(self.kubernetes, "ReplicaSet", self.found.namespace, {"labelSelector": query})
        return [one for one in owned if controller(one).get("uid") == self.found.uid]
