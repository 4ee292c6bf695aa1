"""What a plan of many targets costs: every one read, rehearsed by the API server, compared and recorded.

Run it as `python -m tests.benchmarks.bench_plan`, on an idle machine; it takes about half a minute. The API server is
the stand-in, in a process of its own on the same machine, so its time is in the figures; the CPU is the planner's.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.clients.kubernetes import Kubernetes
from bot.runbooks.access import Access
from bot.runbooks.catalogue import load
from bot.runbooks.plan import PlanContext, Planned, make
from tests.benchmarks.figures import Figures, arguments, cpu_seconds, percentile
from tests.system.town import town

RUNBOOK = load(Path(__file__).parents[2] / "runbooks").runbooks["restart-deployments"]
WIDE = replace(RUNBOOK, target=replace(RUNBOOK.target, reach=replace(RUNBOOK.target.reach, max_targets=200, batch=0)))
CONTEXT = PlanContext(
    "", "INC-1", "prod", (), "", (), 1, None, 1_795_000_000_000_000, 3600, "0" * 64, lambda _: "0" * 64
)
PARAMETERS = {"namespace": "shop", "application": "many"}


async def main() -> None:
    """Measure and print."""
    given = arguments(str(__doc__).partition("\n")[0], targets=100, times=10)
    figures = Figures(f"A plan of {given.targets} Deployments")
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as folder:
        async with town(Path(folder), fork=False) as here:
            await here.control("apply", {"cluster": "prod", "objects": [deployment(n) for n in range(given.targets)]})
            config = here.environment["KUBECONFIG"]
            runner = Kubernetes.from_kubeconfig(config, "prod-runner", cluster="prod", identity="runner")
            seconds, cpu = [], []
            for _ in range(given.times):
                began, burnt = time.monotonic(), cpu_seconds(os.getpid())
                made = await make(WIDE, PARAMETERS, access=Access(runner), context=CONTEXT, redact=lambda data: data)
                seconds.append(time.monotonic() - began)
                cpu.append(cpu_seconds(os.getpid()) - burnt)
                assert isinstance(made, Planned), made
                assert len(made.plan.targets) == given.targets
            await runner.close()
    figures.add("until it is made, median", percentile(seconds, 0.5), "s")
    figures.add("until it is made, p95", percentile(seconds, 0.95), "s", "< 2")
    figures.add("CPU, median", percentile(cpu, 0.5), "s")
    figures.add("the record", len(made.plan.canonical) / 1000, "kB")
    figures.show(as_json=given.json)


def deployment(number: int) -> dict[str, Any]:
    """One Deployment of one pod, stopped, so that the stand-in's controllers have little to do."""
    name = f"many-{number:03}"
    container = {"name": "web", "image": "registry.example/shop/web:1", "env": [{"name": "N", "value": str(number)}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app.kubernetes.io/part-of": "many"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    }


if __name__ == "__main__":
    asyncio.run(main())
