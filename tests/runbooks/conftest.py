"""The shop in the Kubernetes stand-in, seen by the runner with exactly the rights that rbac.py grants."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.clients.kubernetes import Kubernetes
from bot.domain.approval import Member, Need, Person
from bot.runbooks import rbac
from bot.runbooks.access import Access
from bot.runbooks.catalogue import Catalogue, load
from bot.runbooks.plan import PlanContext, Planned, Refusal, make
from bot.runbooks.resources import Verb
from bot.sandbox.kubernetes import KubernetesSandbox, shop, start
from bot.sandbox.kubernetes.resources import DEPLOYMENTS, PODS

RUNBOOKS = Path(__file__).parents[2] / "runbooks"


@pytest.fixture(autouse=True, scope="session")
def _no_proxy() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.lower().endswith("_proxy"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load(RUNBOOKS)


@pytest.fixture
def shipped() -> dict[str, str]:
    """The shipped runbook files as text, by file name, for tests that break one."""
    return {path.name: path.read_text() for path in RUNBOOKS.glob("*.yaml")}


@dataclass
class Shop:
    """The running stand-in and a runner in each of its clusters."""

    sandbox: KubernetesSandbox
    catalogue: Catalogue
    prod: Access
    staging: Access
    context: PlanContext

    async def plan(
        self,
        runbook: str,
        access: Access | None = None,
        redact: Callable[[Any], Any] = lambda data: data,
        **given: Any,
    ) -> Planned | Refusal:
        access = access or self.prod
        context = replace(self.context, cluster=access.cluster)
        return await make(
            self.catalogue.runbooks[runbook],
            {"namespace": "shop", **given},
            access=access,
            context=context,
            redact=redact,
        )

    async def planned(self, runbook: str, access: Access | None = None, **given: Any) -> Planned:
        made = await self.plan(runbook, access, **given)
        assert isinstance(made, Planned), made
        return made

    def deployment(self, name: str, cluster: str = "prod") -> dict[str, Any]:
        found = self.sandbox.clusters[cluster].store.get(DEPLOYMENTS, "shop", name)
        assert found is not None
        return dict(found)

    def pods(self, app: str, cluster: str = "prod") -> list[dict[str, Any]]:
        return [
            dict(pod)
            for pod in self.sandbox.clusters[cluster].store.list(PODS, "shop")
            if pod["metadata"]["labels"].get("app") == app
        ]

    def change(self, name: str, body: dict[str, Any], cluster: str = "prod") -> None:
        """Let somebody else patch a Deployment."""
        self.sandbox.clusters[cluster].patch(DEPLOYMENTS, "shop", name, body)

    async def rolled_out(self, name: str) -> None:
        """Let time pass until the Deployment's controller has done all that its spec asks."""

        def done() -> bool:
            self.sandbox.clusters["prod"].advance(2)
            live = self.deployment(name)
            status, wanted = live["status"], live["spec"]["replicas"]
            counts = [status.get(key) for key in ("replicas", "updatedReplicas", "availableReplicas")]
            return status["observedGeneration"] == live["metadata"]["generation"] and counts == [wanted] * 3

        await self.until(done)

    def writes(self) -> list[Any]:
        """The writes that took effect, made through the API."""
        return [call for call in self.sandbox.calls if call.applied and call.verb in ("patch", "delete")]

    async def until(self, holds: Callable[[], bool] | Callable[[], Awaitable[bool]], seconds: float = 15) -> None:
        deadline = time.monotonic() + seconds
        while True:
            outcome = holds()
            if outcome if isinstance(outcome, bool) else await outcome:
                return
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.02)


@pytest.fixture
def context(catalogue: Catalogue) -> PlanContext:
    return PlanContext(
        incident_id="i1",
        incident_number=142,
        cluster="prod",
        evidence=("E1", "E4"),
        proposed_by="rules",
        needs=(
            Need(
                "approvers", 1, (Member(Person("T0SHOP", "U0LEE"), "Lee"), Member(Person("T0SHOP", "U0PRIYA"), "Priya"))
            ),
        ),
        quorum=1,
        requester=None,
        now=1_795_000_000_000_000,
        ttl_seconds=3600,
        catalogue_digest=catalogue.digest,
        policy_digest="0" * 64,
    )


OpenShop = Callable[..., Awaitable[Shop]]


@pytest.fixture
async def open_shop(catalogue: Catalogue, context: PlanContext, tmp_path: Path) -> AsyncIterator[OpenShop]:
    """Start the stand-in; ``without`` takes one right away from what the runner's Role grants."""
    opened: list[Shop] = []
    clients: list[Kubernetes] = []

    async def open_it(without: Verb | None = None) -> Shop:
        verbs = rbac.runner(catalogue.runbooks.values()) - {without}
        wide = {"kind": "ClusterRole", "rules": rbac.rules(verb for verb in verbs if verb.cluster_wide)}
        rules = rbac.rules(rbac.namespaced(verbs))
        role = {"kind": "Role", "metadata": {"name": "runner", "namespace": "shop"}, "rules": rules}
        sandbox = await start(port=0, clusters=shop.clusters(runner=(role, wide)), tick_seconds=0.05, seed=1)
        config = tmp_path / "kubeconfig"
        config.write_text(yaml.safe_dump(sandbox.kubeconfig()))

        def client(cluster: str) -> Kubernetes:
            return Kubernetes.from_kubeconfig(
                str(config), f"{cluster}-runner", cluster=cluster, identity="runner", timeout=2.0
            )

        prod, staging = await asyncio.to_thread(client, "prod"), await asyncio.to_thread(client, "staging")
        clients.extend((prod, staging))
        opened.append(Shop(sandbox, catalogue, Access(prod), Access(staging), context))
        return opened[-1]

    yield open_it
    for client in clients:
        await client.close()
    for each in opened:
        await each.sandbox.stop()


@pytest.fixture
async def market(open_shop: OpenShop) -> Shop:
    """The shop on a good day."""
    return await open_shop()


@pytest.fixture
async def broken(market: Shop) -> Shop:
    """The shop whose checkout is stuck in the rollout of an image that does not exist."""
    market.sandbox.play("prod", "break_checkout", 120)
    return market
