"""Two clusters of the stand-in with a shop each, and readers that look at them over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
import yaml

from bot.clients.kubernetes import Kubernetes
from bot.domain.evidence import Evidence
from bot.domain.incident import Subject
from bot.evidence.collect import collect
from bot.redact import Redactor
from bot.sandbox import kubernetes as stand_in
from bot.sandbox.kubernetes import shop
from tests.clients.conftest import Request, answer, raw_server


@dataclass
class World:
    sandbox: stand_in.KubernetesSandbox
    kubeconfig: str
    prod: Kubernetes
    staging: Kubernetes

    def now(self, cluster: str = "prod") -> int:
        return int(self.sandbox.clusters[cluster].clock.now() * 1_000_000)

    async def control(self, what: str, **body: object) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.sandbox.url}/sandbox/kubernetes/{what}", json=body) as response,
        ):
            assert response.status == 200, await response.text()

    async def apply(self, *objects: dict, cluster: str = "prod") -> None:
        await self.control("apply", cluster=cluster, objects=list(objects))

    async def collect(
        self,
        subject: Subject,
        reader: Kubernetes | None = None,
        *,
        seconds: float = 5.0,
        redactor: Redactor | None = None,
    ) -> tuple[Evidence, ...]:
        now = self.now()
        return await collect(
            subject,
            reader or self.prod,
            now=now,
            deadline_seconds=seconds,
            redactor=redactor or Redactor(),
            alert_started_at=now - 60_000_000,
        )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    sandbox = await stand_in.start(port=0, clusters=shop.clusters(), tick_seconds=0.05, seed=1)
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(sandbox.kubeconfig()))
    readers = [
        await asyncio.to_thread(
            lambda name=name: Kubernetes.from_kubeconfig(str(path), f"{name}-reader", cluster=name, identity="reader")
        )
        for name in ("prod", "staging")
    ]
    yield World(sandbox, str(path), *readers)
    for reader in readers:
        await reader.close()
    await sandbox.stop()


@pytest.fixture
def canned(tmp_path: Path) -> Callable:
    """An API server that knows nothing but the given answers by path, for kinds that the stand-in does not play."""

    @asynccontextmanager
    async def serve(objects: dict[str, object]) -> AsyncIterator[Kubernetes]:
        async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
            found = objects.get(urlsplit(request.line.split()[1]).path)
            if found is None:
                writer.write(answer('{"kind": "Status", "reason": "NotFound"}', status="404 Not Found"))
            elif isinstance(found, bytes):
                writer.write(answer(found))
            else:
                writer.write(answer(json.dumps({"items": found} if isinstance(found, list) else found)))

        async with raw_server(handler) as server:
            path = tmp_path / "canned"
            user = {"name": "x", "user": {}}
            cluster = {"name": "x", "cluster": {"server": server.url}}
            context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
            path.write_text(yaml.safe_dump({"clusters": [cluster], "users": [user], "contexts": [context]}))
            reader = Kubernetes.from_kubeconfig(str(path), "x", cluster="prod", identity="reader", timeout=5)
            try:
                yield reader
            finally:
                await reader.close()

    return serve


async def eventually(check: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110 - what is waited for is in a cluster, and has no event
            await asyncio.sleep(0.05)  # the stand-in's controllers take their next step
