"""Logs of a workload in the stand-in's clusters: of all pods, now and before, in order, bounded, redacted."""

import asyncio

from bot.clients.kubernetes import Kubernetes
from bot.evidence.kubernetes_logs import KubernetesLogs
from bot.evidence.log_source import Logs, Wanted
from bot.redact import Redactor
from bot.sandbox.kubernetes import Fault
from tests.evidence.conftest import World

MINUTE = 60_000_000


async def read(
    world: World, workload: str, *, words: tuple[str, ...] = (), secret: str = "", minutes: int = 10
) -> Logs:
    now = world.now()
    span = minutes * MINUTE
    wanted = Wanted("shop", "", workload, now - 2 * span, now - span, now + MINUTE, words)
    source = KubernetesLogs(world.prod, Redactor([secret] if secret else []))
    return await source.read(wanted, deadline=asyncio.get_running_loop().time() + 5)


async def test_all_pods_of_a_workload_are_read_and_the_time_before_apart(world: World) -> None:
    found = await read(world, "frontend")
    assert (len(found.logs), found.problems, found.source) == (3, (), "kubernetes:prod")
    for log in found.logs:
        assert log.name.startswith("pod frontend-")
        assert log.before
        assert log.within
        assert log.complete


async def test_a_container_that_crashed_has_its_last_run_too(world: World) -> None:
    world.sandbox.play("prod", "crash_cart")
    await world.control("clock", cluster="prod", advance=30)
    found = await read(world, "cart")
    assert "pricing.currency" in "".join(log.within for log in found.logs)


async def test_words_leave_lines_with_them_and_find_no_secret(world: World) -> None:
    found = await read(world, "frontend", words=("products",))
    assert all("products" in log.within for log in found.logs)
    hidden = await read(world, "frontend", words=("products",), secret="GET /products/3141")
    assert hidden.empty


async def test_what_cannot_be_read_is_a_sentence(world: World) -> None:
    assert "has the name nothing" in (await read(world, "nothing")).problems[0]
    world.sandbox.order(Fault("delay", resource="pods/log", seconds=30, times=1))
    found = await read(world, "frontend")
    assert len(found.logs) == 2
    assert "did not arrive in time" in found.problems[0]


async def test_the_newest_lines_are_there_where_a_log_is_larger_than_can_be_read(world: World) -> None:
    small = await asyncio.to_thread(
        lambda: Kubernetes.from_kubeconfig(
            world.kubeconfig, "prod-reader", cluster="prod", identity="reader", max_body=40_000
        )
    )
    whole = await read(world, "frontend", minutes=300)
    try:
        now = world.now()
        wanted = Wanted("shop", "", "frontend", now - 600 * MINUTE, now - 300 * MINUTE, now + MINUTE)
        found = await KubernetesLogs(small, Redactor()).read(wanted, deadline=asyncio.get_running_loop().time() + 10)
    finally:
        await small.close()
    for log, full in zip(found.logs, whole.logs, strict=True):
        assert not log.complete
        assert log.within.splitlines()[-1][:20] >= full.within.splitlines()[-1][:20]
