"""Logs from Loki: of the pods a workload has or had, and of no other workload's."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.clients.loki import Loki
from bot.evidence.log_source import Logs, Wanted
from bot.evidence.loki_logs import LokiLogs
from bot.redact import Redactor
from bot.sandbox import loki as stand_in
from bot.sandbox.loki import LokiSandbox

SINCE = 1_795_255_320_000_000
MINUTE = 60_000_000


@pytest.fixture
async def sandbox() -> AsyncIterator[LokiSandbox]:
    running = await stand_in.start(port=0, token="")
    yield running
    await running.stop()


async def read(sandbox: LokiSandbox, *words: str, seconds: float = 5.0, secret: str = "") -> Logs:
    wanted = Wanted("shop", "", "cart", SINCE - MINUTE, SINCE, SINCE + MINUTE, words)
    async with Loki(sandbox.url, cluster="prod") as client:
        source = LokiLogs(client, Redactor([secret] if secret else []))
        return await source.read(wanted, deadline=asyncio.get_running_loop().time() + seconds)


def push(sandbox: LokiSandbox, pod: str, *lines: str, at: int = SINCE, namespace: str = "shop") -> None:
    labels = {"namespace": namespace, "pod": pod, "container": "app"}
    sandbox.push(labels, [((at + n) * 1000, line) for n, line in enumerate(lines)])


@pytest.mark.parametrize(
    ("pod", "ours"),
    [
        ("cart", True),
        ("cart-0", True),
        ("cart-x2x7p", True),
        ("cart-6c9fbd-x2x7p", True),
        ("cart-29384756-x2x7p", True),
        ("cart-worker-6c9fbd-x2x7p", False),
        ("carts-0", False),
        ("my-cart-0", False),
    ],
)
async def test_the_pods_of_a_workload_are_known_by_how_their_names_are_made(
    sandbox: LokiSandbox, pod: str, ours: bool
) -> None:
    push(sandbox, pod, "a line")
    assert (await read(sandbox)).empty is not ours


async def test_each_container_is_a_log_divided_at_the_time_and_another_namespace_is_not_seen(
    sandbox: LokiSandbox,
) -> None:
    push(sandbox, "cart-0", "old", at=SINCE - 1000)
    push(sandbox, "cart-0", "new", "a trace\n  of two lines")
    push(sandbox, "cart-1", "other")
    push(sandbox, "cart-0", "foreign", namespace="payroll")
    found = {log.name: log for log in (await read(sandbox)).logs}
    assert list(found) == ["pod cart-0, container app", "pod cart-1, container app"]
    log = found["pod cart-0, container app"]
    assert log.before.endswith(" old\n")
    assert [line.split(" ", 1)[1] for line in log.within.splitlines()] == ["new", "a trace", " of two lines"]


async def test_words_find_lines_and_no_secret(sandbox: LokiSandbox) -> None:
    push(sandbox, "cart-0", "all is well", "connection REFUSED by ledger")
    found = await read(sandbox, "refused")
    assert "REFUSED" in found.logs[0].within
    assert "all is well" not in found.logs[0].within
    assert (await read(sandbox, "refused", secret="connection REFUSED")).empty


async def test_a_loki_that_refuses_or_is_slow_is_a_sentence(sandbox: LokiSandbox) -> None:
    sandbox.slow = 30
    assert "did not send all lines in time" in (await read(sandbox, seconds=0.6)).problems[0]
    await sandbox.stop()
    assert "cannot be reached" in (await read(sandbox)).problems[0]
