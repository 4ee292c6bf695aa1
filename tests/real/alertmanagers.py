"""A real Alertmanager (or two as one cluster) and a real Prometheus, as processes with intervals of about a second."""

from __future__ import annotations

import contextlib
import functools
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.ports import free_port
from tests.system.town import TOKEN
from tests.waiting import wait_until

Json = dict[str, Any]


class Process:
    """A server in a process of its own, with its metrics."""

    def __init__(self, words: Sequence[str], url: str, log: Path, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session
        self._log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(words, stdout=output, stderr=output, stdin=subprocess.DEVNULL)

    async def ready(self) -> None:
        """Wait until it serves."""
        await wait_until(self._answers, 30, f"{self.url}/-/ready; its log: {self._log}")

    async def _answers(self) -> bool:
        with contextlib.suppress(aiohttp.ClientError):
            async with self._session.get(f"{self.url}/-/ready") as response:
                return response.status == 200
        return False

    async def metric(self, name: str, **labels: str) -> float:
        """Sum a metric's samples that have these labels; 0 if there are none."""
        return await metric(self._session, self.url, name, **labels)

    def reload(self) -> None:
        """Have it read its configuration again."""
        self.process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """End it at once, as a node that is lost does."""
        self.process.kill()
        self.process.wait(10)


async def metric(session: aiohttp.ClientSession, url: str, name: str, **labels: str) -> float:
    """Sum the samples of `name` with `labels` that a server's /metrics shows."""
    async with session.get(f"{url}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


class Alertmanager(Process):
    """Takes alerts as Prometheus posts them."""

    async def post(self, *alerts: Json) -> None:
        """Deliver alerts to the API v2, as Prometheus does."""
        async with self._session.post(f"{self.url}/api/v2/alerts", json=list(alerts)) as response:
            assert response.status == 200, await response.text()


class Alertmanagers:
    """Starts Alertmanagers in a folder, all with one configuration that delivers to `webhook`."""

    def __init__(self, binary: str, folder: Path, webhook: str, session: aiohttp.ClientSession) -> None:
        self._binary = binary
        self._folder = folder
        self._webhook = webhook
        self._session = session
        self.running: list[Alertmanager] = []
        self.configure()

    def configure(self, *, token: str = TOKEN, repeat: str = "1h", group_by: Sequence[str] = ("cluster",)) -> None:
        """Write the configuration. Who runs already takes it up when it is told to reload."""
        webhook = {
            "url": self._webhook,
            "http_config": {"authorization": {"type": "Bearer", "credentials": token}},
        }
        route = {
            "receiver": "signoff",
            "group_by": list(group_by),
            "group_wait": "100ms",
            "group_interval": "1s",
            "repeat_interval": repeat,
        }
        config = {"route": route, "receivers": [{"name": "signoff", "webhook_configs": [webhook]}]}
        self._config.write_text(yaml.safe_dump(config))

    @property
    def _config(self) -> Path:
        return self._folder / "alertmanager.yml"

    async def start(self) -> Alertmanager:
        """Start one that knows of no other."""
        return await self._start("--cluster.listen-address=")

    async def pair(self, *, apart: bool) -> tuple[Alertmanager, Alertmanager]:
        """Start two as one cluster; `apart` cuts the line between them, so that each believes to be alone."""
        addresses = [f"127.0.0.1:{free_port()}" for _ in range(2)]
        nobody = f"127.0.0.1:{free_port()}"
        first = await self._start(*_member(addresses[0], nobody if apart else addresses[1]))
        second = await self._start(*_member(addresses[1], nobody if apart else addresses[0]))
        for each in (first, second):
            members = functools.partial(each.metric, "alertmanager_cluster_members")
            await wait_until(functools.partial(_is, members, 1 if apart else 2), 30, "the two to settle")
        return first, second

    async def _start(self, *more: str) -> Alertmanager:
        port = free_port()
        name = f"alertmanager-{len(self.running) + 1}"
        words = [
            self._binary,
            f"--config.file={self._config}",
            f"--storage.path={self._folder / name}",
            f"--web.listen-address=127.0.0.1:{port}",
            *more,
        ]
        started = Alertmanager(words, f"http://127.0.0.1:{port}", self._folder / f"{name}.log", self._session)
        self.running.append(started)
        await started.ready()
        return started


def _member(mine: str, other: str) -> tuple[str, ...]:
    return (
        f"--cluster.listen-address={mine}",
        f"--cluster.advertise-address={mine}",
        f"--cluster.peer={other}",
        "--cluster.peer-timeout=1s",
        "--cluster.settle-timeout=1s",
        "--cluster.reconnect-interval=1s",
    )


async def _is(read: Callable[[], Awaitable[float]], value: float) -> bool:
    return await read() == value


@contextlib.asynccontextmanager
async def alertmanagers(
    binary: str, folder: Path, webhook: str, session: aiohttp.ClientSession
) -> AsyncIterator[Alertmanagers]:
    """Start as many as are asked for, and end them all."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Alertmanagers(binary, folder, webhook, session)
    try:
        yield made
    finally:
        for each in made.running:
            each.stop()


@contextlib.asynccontextmanager
async def prometheus(
    binary: str, folder: Path, *, scrapes: str, rule: Mapping[str, Any], tells: Sequence[Alertmanager]
) -> AsyncIterator[Process]:
    """Start a Prometheus that scrapes `scrapes` (host:port) each second, evaluates one rule and tells Alertmanagers."""
    folder.mkdir(parents=True, exist_ok=True)
    targets = [each.url.removeprefix("http://") for each in tells]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "rules.yml")],
        "scrape_configs": [{"job_name": "shop", "static_configs": [{"targets": [scrapes]}]}],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": targets}]}]},
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "shop", "rules": [dict(rule)]}]}))
    port = free_port()
    words = [
        binary,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--rules.alert.resend-delay=1s",
    ]
    async with aiohttp.ClientSession() as session:
        started = Process(words, f"http://127.0.0.1:{port}", folder / "prometheus.log", session)
        try:
            await started.ready()
            yield started
        finally:
            started.stop()


def alert(name: str, *, resolved: bool = False, **labels: str) -> Json:
    """An alert as Prometheus posts it: started a minute ago, and over a second ago if `resolved`."""
    now = datetime.now(UTC)
    given = {"alertname": name, "cluster": "prod", "namespace": "shop", "severity": "critical"} | labels
    ends = now - timedelta(seconds=1) if resolved else now + timedelta(hours=1)
    return {
        "labels": given,
        "annotations": {"summary": f"{name} of the shop's {labels.get('deployment', 'pods')}."},
        "startsAt": (now.replace(microsecond=0) - timedelta(minutes=1)).isoformat(),
        "endsAt": ends.isoformat(),
        "generatorURL": "http://prometheus.example/graph",
    }
