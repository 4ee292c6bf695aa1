"""A stand-in for Kubernetes: API servers of several clusters on one loopback port, with live controllers.

    sandbox = await start(port=0, clusters=shop.clusters())
    sandbox.kubeconfig()                       # contexts prod-reader, prod-runner, staging-reader, …
    sandbox.play("prod", "break_checkout")     # the rollout of the demo
    await sandbox.stop()

Each cluster lives under `/clusters/<name>`, has its own objects, identities, clock and past. It is strict
where a client could go wrong, and says so (501, 404) where it does not play along: no watch, no
server-side apply, no deletecollection, no status subresource, no init containers; the autoscaler, cron jobs and
services are stored and do nothing.

What is emulated, and where its rule comes from, stands at the head of each module: `registry` (writes, dry run,
preconditions), `validation`, `patches`, `rbac`, `lists`, `logs`, `deployments`, `stateful_sets`, `daemon_sets`,
`jobs`, `kubelet`, `disruption`;
`control` describes the API with which tests and the demo make things happen.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from bot.sandbox.kubernetes import control
from bot.sandbox.kubernetes.cluster import Cluster
from bot.sandbox.kubernetes.faults import Fault
from bot.sandbox.kubernetes.server import MAX_BODY, ApiServer, Call, State
from bot.sandbox.kubernetes.spec import ClusterSpec, ImageBehaviour, Patch, Scenario, Stage
from bot.sandbox.loopback import listen, only_local

__all__ = [
    "Call",
    "ClusterSpec",
    "Fault",
    "ImageBehaviour",
    "KubernetesSandbox",
    "Patch",
    "Scenario",
    "Stage",
    "start",
]


_log = logging.getLogger(__name__)


class KubernetesSandbox:
    """Running clusters. Use it from the loop that started it."""

    def __init__(self, state: State, runner: web.AppRunner, host: str, port: int, ticking: asyncio.Task[None]) -> None:
        self._state = state
        self._runner = runner
        self._ticking = ticking
        self.port = port
        self.url = f"http://{'[::1]' if host == '::1' else host}:{port}"

    @property
    def clusters(self) -> Mapping[str, Cluster]:
        """The clusters by name, for what `play` and its like do not cover."""
        return self._state.clusters

    @property
    def calls(self) -> tuple[Call, ...]:
        """The API calls so far, the newest last."""
        return tuple(self._state.calls)

    def kubeconfig(self) -> dict[str, Any]:
        """One kubeconfig for everything; contexts are `<cluster>-<identity>`."""
        pairs = list(self._state.tokens)
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "-".join(pairs[0]),
            "clusters": [
                {"name": name, "cluster": {"server": f"{self.url}/clusters/{name}"}} for name in self._state.clusters
            ],
            "users": [
                {"name": f"{cluster}-{identity}", "user": {"token": token}}
                for (cluster, identity), token in self._state.tokens.items()
            ],
            "contexts": [
                {
                    "name": f"{cluster}-{identity}",
                    "context": {"cluster": cluster, "user": f"{cluster}-{identity}", "namespace": "default"},
                }
                for cluster, identity in pairs
            ],
        }

    def play(self, cluster: str, scenario: str, ago: float = 0.0) -> None:
        """Let a scenario happen, as if it had `ago` seconds ago. Raises ValueError for an unknown one."""
        control.play(self._state.clusters[cluster], scenario, ago)

    def order(self, fault: Fault) -> None:
        """Let the next request that fits go wrong."""
        self._state.faults.order(fault)

    async def stop(self) -> None:
        """Stop the controllers and the server; requests that are being delayed lose their connection."""
        self._state.stopping.set()
        self._ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._ticking
        await self._runner.cleanup()


async def start(
    *,
    port: int,
    clusters: Sequence[ClusterSpec],
    host: str = "127.0.0.1",
    clock: Callable[[], float] = time.time,
    tick_seconds: float = 0.2,
    seed: int | None = None,
) -> KubernetesSandbox:
    """Start the clusters and serve them; port 0 takes any free one.

    `clock` gives seconds since the epoch, `seed` makes generated names repeatable. Raises ValueError for a
    host that is not loopback or clusters of the same name, OSError when the port is taken.
    """
    names = [spec.name for spec in clusters]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"clusters need names of their own, not {names}")
    rng = random.Random(seed)  # noqa: S311 - names of pods, not secrets
    running = {spec.name: await asyncio.to_thread(Cluster, spec, clock, rng) for spec in clusters}
    tokens = {
        (spec.name, identity): f"k8s-local-{spec.name}-{identity}-{secrets.token_hex(16)}"
        for spec in clusters
        for identity in spec.roles
    }
    state = State(running, tokens)
    server = ApiServer(state)
    app = web.Application(middlewares=[only_local], client_max_size=MAX_BODY)
    app.add_routes(control.routes(state))
    app.router.add_route("*", "/clusters/{cluster}/{path:.*}", server.handle)
    runner, real_port = await listen(app, host, port)
    ticking = asyncio.create_task(_tick_forever(running, tick_seconds))
    return KubernetesSandbox(state, runner, host, real_port, ticking)


async def _tick_forever(clusters: Mapping[str, Cluster], seconds: float) -> None:
    while True:
        for name, cluster in clusters.items():
            try:
                cluster.tick()
            except Exception:  # a controller that fails tries again later, as the real ones do
                _log.exception("a controller of the cluster %s failed", name)
        await asyncio.sleep(seconds)
