"""What works and what does not, for /readyz and /metrics: read from the rows and the rooms, decided nowhere else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from bot.clients.kubernetes import KubernetesError, KubernetesUnreachable
from bot.domain.stop import Stop
from bot.intake.http import Readiness
from bot.jobs.world import World
from bot.store import clock, stops, unreadable, work
from bot.store.approvals import count_unreviewed
from bot.store.tables import approvals, incidents, messages, runs

_CACHE_SECONDS = 5.0
_DATABASE_SECONDS = 3.0


class Status:
    """Reads readiness. Ready means that a webhook can be stored; whatever else fails is a problem that it names."""

    def __init__(self, world: World, *, slack_connected: Callable[[], bool]) -> None:
        self._world = world
        self._slack_connected = slack_connected
        self._clusters: tuple[float, tuple[str, ...]] = (0.0, ())
        self._reading = asyncio.Lock()

    async def read(self) -> Readiness:
        """Return what works now. Bounded to a few seconds; clusters are asked at most every five."""
        problems: list[str] = []
        ready = await self._database(problems)
        if not self._world.engine.launched:
            problems.append("jobs: the engine has not started yet; webhooks are stored and worked on when it has")
        if not self._slack_connected():
            problems.append("slack: not connected; cards wait in the outbox and clicks cannot arrive")
        problems += [str(problem) for problem in self._world.outbox.problems()]
        problems += await self._cluster_problems()
        model = self._world.gateway.model if self._world.gateway else "rules, no model"
        if self._world.gateway and self._world.gateway.trouble:
            problems.append(f"model: {self._world.gateway.trouble}; the rules answer meanwhile")
        if self._world.anchors.unwritten:
            problems.append(f"audit.anchor_file: {self._world.anchors.unwritten}; heads are kept in memory meanwhile")
        if self._world.anchors.trouble:
            problems.append(f"audit: {self._world.anchors.trouble}; `signoff audit verify` says what was done to it")
        problems += self._world.rules.policy.gaps()
        return Readiness(ready, tuple(problems), {"model": model, "clusters": sorted(self._world.clusters)})

    async def _database(self, problems: list[str]) -> bool:
        def probe(connection: Connection) -> tuple[list[str], int, Stop | None, str]:
            clock.advance(connection)
            aside, struggling = unreadable.reported(connection), work.struggling(connection)
            return aside, struggling, stops.current(connection), clock.lead(connection)

        try:
            async with asyncio.timeout(_DATABASE_SECONDS):
                aside, struggling, stop, lead = await self._world.database.write(probe, urgent=True)
        except Exception:
            problems.append("database: cannot be written; webhooks are answered 503 until it can")
            return False
        problems += [stop.sentence] if stop else []
        problems += [f"set aside: {sentence}" for sentence in aside]
        problems += [f"time: {lead}"] if lead else []
        if struggling:
            problems.append(f"jobs: {struggling} keep failing and are tried again; the log says why")
        return True

    async def _cluster_problems(self) -> tuple[str, ...]:
        async with self._reading:
            read_at, known = self._clusters
            if time.monotonic() - read_at < _CACHE_SECONDS and read_at:
                return known
            names = list(self._world.clusters)
            found = await asyncio.gather(*(self._cluster(name) for name in names))
            known = tuple(problem for problem in found if problem)
            self._clusters = (time.monotonic(), known)
            return known

    async def _cluster(self, name: str) -> str:
        try:
            async with asyncio.timeout(_DATABASE_SECONDS):
                await self._world.clusters[name].reader.get("/version")
        except KubernetesError as error:
            return "" if error.status == 403 else f"cluster {name}: {error.message}"
        except (KubernetesUnreachable, TimeoutError):
            return f"cluster {name}: does not answer; evidence will say so, and nothing can be planned there"
        return ""


class Gauges(Collector):
    """Counts rows when they are scraped, so that the numbers survive a restart and agree on every replica."""

    def __init__(self, world: World) -> None:
        self._world = world

    def collect(self) -> Iterator[Any]:
        """Yield the current counts; a database that cannot be read is a gauge of its own, not a failed scrape."""
        up = GaugeMetricFamily("signoff_database_up", "1 if the database can be read.")
        try:
            counts, unreviewed = self._world.database.read_now(_count)
        except Exception:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        for name, text, by in (
            ("signoff_incidents", "Incidents by status.", counts["incidents"]),
            ("signoff_approvals", "Approvals by state.", counts["approvals"]),
            ("signoff_runs", "Runs by state.", counts["runs"]),
            ("signoff_outbox_messages", "Messages by state.", counts["outbox"]),
        ):
            family = GaugeMetricFamily(name, text, labels=["state"])
            for state, number in sorted(by.items()):
                family.add_metric([state], number)
            yield family
        yield GaugeMetricFamily(
            "signoff_break_glass_unreviewed",
            "Requests that were released by break-glass and that nobody has reviewed.",
            value=unreviewed,
        )
        sent = CounterMetricFamily("signoff_slack_calls", "What became of messages.", labels=["outcome"])
        for outcome, number in sorted(self._world.outbox.counts.items()):
            sent.add_metric([outcome], number)
        yield sent
        if self._world.gateway is not None:
            yield from self._world.gateway.usage.collect()


def _count(connection: Connection) -> tuple[dict[str, dict[str, int]], int]:
    columns = {
        "incidents": incidents.c.status,
        "approvals": approvals.c.state,
        "runs": runs.c.state,
        "outbox": messages.c.state,
    }
    counts = {
        name: {row[0]: row[1] for row in connection.execute(select(column, func.count()).group_by(column))}
        for name, column in columns.items()
    }
    return counts, count_unreviewed(connection)
