"""The shop in the Kubernetes stand-in, seen by the runner with exactly the rights that rbac.py grants."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.clients.alertmanager import Alertmanager
from bot.clients.kubernetes import Kubernetes
from bot.domain.approval import Member, Need, Person
from bot.domain.plan import Plan
from bot.domain.run import StepState
from bot.runbooks import course, rbac, verify
from bot.runbooks.access import Access
from bot.runbooks.catalogue import Catalogue, load
from bot.runbooks.execute import Effect, fire
from bot.runbooks.plan import PlanContext, Planned, Refusal, make
from bot.runbooks.resources import Verb
from bot.sandbox import silences
from bot.sandbox.kubernetes import KubernetesSandbox, shop, start
from bot.sandbox.kubernetes.resources import DEPLOYMENTS, PODS
from bot.sandbox.silences import SilencesSandbox

RUNBOOKS = Path(__file__).parents[2] / "runbooks"


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load(RUNBOOKS)


@pytest.fixture
def shipped() -> dict[str, str]:
    """The shipped runbook files as text, by file name, for tests that break one."""
    return {path.name: path.read_text() for path in RUNBOOKS.glob("*.yaml")}


@dataclass(frozen=True)
class Ran:
    """How a run ended (as `course` has it), what became of its calls, and what the verification said last."""

    end: str
    ledger: Mapping[int, StepState]
    effects: list[Effect]
    verdict: verify.Verdict | None


@dataclass
class Shop:
    """The running stand-ins and a runner in each of its clusters."""

    sandbox: KubernetesSandbox
    silences: SilencesSandbox
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
        book = self.catalogue.runbooks[runbook]
        usual = {"namespace": "shop"} if "namespace" in book.parameters["properties"] else {}
        return await make(
            book,
            {**usual, **given},
            access=access,
            context=context,
            redact=redact,
        )

    async def planned(self, runbook: str, access: Access | None = None, **given: Any) -> Planned:
        made = await self.plan(runbook, access, **given)
        assert isinstance(made, Planned), made
        return made

    async def run(self, plan: Plan, access: Access | None = None) -> Ran:
        """Drive a run as its story does (bot/jobs/run.py), on the cluster's own clock: a look is ten seconds later."""
        access = access or self.prod
        ledger: dict[int, StepState] = {}
        effects: list[Effect] = []
        undoing, verdict = False, None
        while True:
            coming = course.following(plan, ledger, undoing=undoing)
            if coming.what == "call":
                if course.begins_batch(plan, ledger, coming.ordinal):
                    held = await self.watch(plan, ledger, access, {**plan.record["verification"], "stable_seconds": 0})
                    assert held.outcome == "helped", held
                effects.append(await fire(plan, coming.ordinal, access))
                outcome = effects[-1].outcome
                ledger[coming.ordinal] = "unknown" if outcome == "in_doubt" else outcome
            elif coming.what == "verify":
                verdict = await self.watch(plan, ledger, access, plan.record["verification"])
                undoing = verdict.outcome == "did not help" and course.takes_back(plan)
                if not undoing:
                    break
            else:
                break
        return Ran(coming.what, ledger, effects, verdict)

    async def watch(
        self, plan: Plan, ledger: Mapping[int, StepState], access: Access, rules: Mapping[str, Any]
    ) -> verify.Verdict:
        now, observations = 0, []
        while True:
            observations.append(await verify.observe(plan, ledger, access, now=now))
            verdict = verify.judge(rules, 0, observations, now)
            if verdict is not None:
                return verdict
            now += 10_000_000
            self.sandbox.clusters[access.cluster].advance(10)

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

    def add(self, kind: str, name: str, **spec: Any) -> None:
        """Have three pods of a StatefulSet, or of a DaemonSet one on each of the three nodes."""
        labels = {"app": name}
        containers = [{"name": name, "image": f"registry.example/{name}:1"}]
        template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
        own = {"serviceName": name, "replicas": 3} if kind == "StatefulSet" else {}
        body = {"selector": {"matchLabels": labels}, "template": template, **own, **spec}
        meta = {"name": name, "namespace": "shop"}
        cluster = self.sandbox.clusters["prod"]
        cluster.apply({"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": body})
        cluster.advance(60)

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
        matter_id="i1",
        matter_name="INC-142",
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
        policy_digest=lambda record: "0" * 64,
    )


OpenShop = Callable[..., Awaitable[Shop]]


@pytest.fixture
async def open_shop(catalogue: Catalogue, context: PlanContext, tmp_path: Path) -> AsyncIterator[OpenShop]:
    """Start the stand-in; ``without`` takes one right away from what the runner's Role grants."""
    opened: list[Shop] = []
    clients: list[Kubernetes] = []
    closing: list[Alertmanager] = []

    async def open_it(without: Verb | None = None, books: Catalogue = catalogue) -> Shop:
        verbs = rbac.runner(books.runbooks.values())
        if without is not None:
            verbs -= {without, replace(without, cluster_wide=True)}
        wide = {"kind": "ClusterRole", "rules": rbac.rules(verb for verb in verbs if verb.cluster_wide)}
        rules = rbac.rules(rbac.namespaced(verbs))
        role = {"kind": "Role", "metadata": {"name": "runner", "namespace": "shop"}, "rules": rules}
        sandbox = await start(port=0, clusters=shop.clusters(runner=(role, wide)), tick_seconds=0.05, seed=1)
        config = tmp_path / "kubeconfig"
        config.write_text(yaml.safe_dump(sandbox.kubeconfig()))

        def client(cluster: str) -> Kubernetes:
            return Kubernetes.from_kubeconfig(
                str(config), f"{cluster}-runner", cluster=cluster, identity="runner", timeout=15.0
            )

        prod, staging = await asyncio.to_thread(client, "prod"), await asyncio.to_thread(client, "staging")
        clients.extend((prod, staging))
        kept = await silences.start(port=0)
        alertmanager = Alertmanager(kept.url, cluster="prod")
        closing.append(alertmanager)
        opened.append(Shop(sandbox, kept, books, Access(prod, alertmanager=alertmanager), Access(staging), context))
        return opened[-1]

    yield open_it
    for client in (*clients, *closing):
        await client.close()
    for each in opened:
        await each.sandbox.stop()
        await each.silences.stop()


@pytest.fixture
async def market(open_shop: OpenShop) -> Shop:
    """The shop on a good day."""
    return await open_shop()


@pytest.fixture
async def broken(market: Shop) -> Shop:
    """The shop whose checkout is stuck in the rollout of an image that does not exist."""
    market.sandbox.play("prod", "break_checkout", 120)
    return market


@pytest.fixture
async def examples(open_shop: OpenShop) -> Shop:
    """The shop with the runbooks that the documentation gives as examples."""
    opened = await open_shop(books=load(RUNBOOKS.parent / "docs" / "examples"))
    opened.context = replace(opened.context, registries=("registry.example/shop",))
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cart", "namespace": "shop"}}
    opened.sandbox.clusters["prod"].apply({**settings, "data": {"LOG_LEVEL": "info", "OTHER": "1"}})
    return opened
