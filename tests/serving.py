"""A real ``signoff serve`` in a process of its own, with nothing but a database: no Slack, no cluster, no model."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.ports import free_port
from tests.system.processes import Process, start
from tests.waiting import wait_until

TOKEN = "a-token-of-alertmanager-0123456789"
ROOT = Path(__file__).parents[1]


def environment(folder: Path, url: str, **more: str) -> dict[str, str]:
    """What ``serve`` needs. Slack's address is one where nobody listens."""
    config = folder / "signoff.yaml"
    config.write_text('channel: C0INCIDENTS\napprovers: ["T0SHOP:U0LEE"]\n')
    return {
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "SIGNOFF_CONFIG": str(config),
        "SIGNOFF_DATABASE_URL": url,
        "SIGNOFF_LISTEN": f"127.0.0.1:{free_port()}",
        "SIGNOFF_ALERTMANAGER_TOKEN": TOKEN,
        "SIGNOFF_SECRET_KEY": "test:" + "k" * 32,
        "SLACK_BOT_TOKEN": "xoxb-1-of-nobody",
        "SLACK_APP_TOKEN": "xapp-1-of-nobody",
        "SIGNOFF_SLACK_API_URL": f"http://127.0.0.1:{free_port()}/api/",
        **more,
    }


class Serving:
    """A running process."""

    def __init__(self, process: Process, url: str, log: Path, session: aiohttp.ClientSession) -> None:
        self.process = process
        self.url = url
        self.log = log
        self.session = session

    async def readyz(self) -> tuple[int, dict[str, Any]]:
        """Ask for readiness; (0, {}) while nobody answers."""
        with contextlib.suppress(aiohttp.ClientError):
            async with self.session.get(f"{self.url}/readyz") as answer:
                return answer.status, await answer.json()
        return 0, {}

    async def is_ready(self) -> bool:
        """Whether webhooks can be stored and jobs run."""
        status, state = await self.readyz()
        return status == 200 and not any(problem.startswith("jobs:") for problem in state["problems"])

    async def post(self, data: Any) -> int:
        """Deliver a webhook. Returns the status of the answer."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"{self.url}/webhooks/alertmanager"
        async with self.session.post(url, data=json.dumps(data), headers=headers) as answer:
            return answer.status

    def end(self) -> int:
        """SIGTERM, as an orchestrator does. Returns the exit status."""
        self.process.terminate()
        return self.process.wait(30)


@contextlib.asynccontextmanager
async def serving(folder: Path, given: dict[str, str]) -> AsyncIterator[Serving]:
    """Start ``signoff serve`` and wait until it answers at all."""
    log = folder / "serve.log"
    process = start(["-m", "bot", "serve"], given, out=log, errors=log)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as session:
        up = Serving(process, f"http://{given['SIGNOFF_LISTEN']}", log, session)
        try:

            async def answers() -> bool:
                assert process.poll() is None, log.read_text()
                return (await up.readyz())[0] != 0

            await wait_until(answers, 30, "signoff serve")
            yield up
        finally:
            if process.poll() is None:
                process.kill()
            await asyncio.to_thread(process.wait, 10)
