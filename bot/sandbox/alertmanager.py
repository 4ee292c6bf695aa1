"""An Alertmanager stand-in: watches one deployment of the sandbox and delivers its alert as the real one does.

The body, the headers, the retries on 5xx and refused connections, and the identical repeats follow Alertmanager 0.25
(``notify/webhook`` and ``notify.Retrier``); the alert is kube-prometheus' KubeDeploymentRolloutStuck in other words.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

ZERO_TIME = "0001-01-01T00:00:00Z"
FIRST_RETRY_SECONDS = 0.3
LAST_RETRY_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Watched:
    """The deployment the rule is about, and how to read it: a URL of the sandbox's Kubernetes and a reader's token."""

    cluster: str
    namespace: str
    deployment: str
    url: str
    token: str


class Alertmanager:
    """Evaluates its one rule while armed, and delivers firing, repeated and resolved groups to the webhook."""

    def __init__(
        self, watched: Watched, webhook: str, token: str, *, clock: Callable[[], float], every_seconds: float = 0.25
    ) -> None:
        self._watched = watched
        self._webhook = webhook
        self._token = token
        self._clock = clock
        self._every = every_seconds
        self._task: asyncio.Task[None] | None = None
        self._starts_at: str | None = None
        self.armed = False
        self.delivered = 0

    def start(self) -> None:
        """Begin to evaluate. Nothing fires until it is armed."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop evaluating and delivering."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def arm(self) -> None:
        """Let the alert fire as soon as its rule holds."""
        self.armed = True

    async def fire(self, _request: web.Request) -> web.Response:
        """Arm by HTTP, for the page's button and the story."""
        self.arm()
        return web.json_response({"armed": True})

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    await self._evaluate(session)
                await asyncio.sleep(self._every)

    async def _evaluate(self, session: aiohttp.ClientSession) -> None:
        if not self.armed:
            return
        stuck = await self._stuck(session)
        if stuck and self._starts_at is None:
            self._starts_at = _time(self._clock())
            await self._deliver(session, self._body("firing", self._starts_at, ZERO_TIME))
        elif not stuck and self._starts_at is not None:
            starts_at, self._starts_at = self._starts_at, None
            await self._deliver(session, self._body("resolved", starts_at, _time(self._clock())))

    async def _stuck(self, session: aiohttp.ClientSession) -> bool:
        headers = {"Authorization": f"Bearer {self._watched.token}"}
        async with session.get(self._watched.url, headers=headers) as response:
            response.raise_for_status()
            deployment = await response.json()
        wanted, status = deployment["spec"]["replicas"], deployment.get("status", {})
        current = status.get("observedGeneration") == deployment["metadata"]["generation"]
        whole = status.get("updatedReplicas") == wanted == status.get("availableReplicas") == status.get("replicas")
        return not (current and whole)

    def _body(self, status: str, starts_at: str, ends_at: str) -> Mapping[str, Any]:
        watched = self._watched
        labels = {
            "alertname": "KubeDeploymentRolloutStuck",
            "cluster": watched.cluster,
            "deployment": watched.deployment,
            "namespace": watched.namespace,
            "severity": "critical",
        }
        annotations = {
            "summary": f"The rollout of {watched.deployment} is not progressing.",
            "description": f"Deployment {watched.namespace}/{watched.deployment} has pods that do not become ready.",
        }
        alert = {
            "status": status,
            "labels": labels,
            "annotations": annotations,
            "startsAt": starts_at,
            "endsAt": ends_at,
            "generatorURL": "http://prometheus.example/graph?g0.expr=kube_deployment_status_condition",
            "fingerprint": hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16],
        }
        group = {"alertname": labels["alertname"], "cluster": watched.cluster}
        return {
            "receiver": "signoff",
            "status": status,
            "alerts": [alert],
            "groupLabels": group,
            "commonLabels": labels,
            "commonAnnotations": annotations,
            "externalURL": "http://alertmanager.example",
            "version": "4",
            "groupKey": "{}:{" + ", ".join(f'{key}="{value}"' for key, value in group.items()) + "}",
            "truncatedAlerts": 0,
        }

    async def _deliver(self, session: aiohttp.ClientSession, body: Mapping[str, Any]) -> None:
        headers = {"Authorization": f"Bearer {self._token}", "User-Agent": "Alertmanager/0.25.0"}
        pause = FIRST_RETRY_SECONDS
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.post(self._webhook, json=body, headers=headers) as response:
                    if response.status < 500:
                        self.delivered += 1
                        return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_RETRY_SECONDS)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
