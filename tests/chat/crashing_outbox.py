"""Runs the outbox until a chosen instant and kills the process there, as `kill -9` would. Started by test_outbox_crash.

The instants are those at which something outside the process changes or might: each commit of the database, just before
and just after it is durable, and each stage of each request to Slack.
"""

import asyncio
import os
import signal
import sys
from typing import Any

import aiohttp
from sqlalchemy import event

from bot.chat.outbox import Outbox
from bot.clients.slack import open_client
from bot.store import outbox as rows
from bot.store.database import Database
from tests.chat.workspace import until


class Death:
    """Counts instants and kills the process at the chosen one (0 never)."""

    def __init__(self, chosen: int) -> None:
        self.chosen = chosen
        self.passed = 0

    def pass_by(self, name: str) -> None:
        self.passed += 1
        if self.passed == self.chosen:
            print(f"died at {name}", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)


async def main(url: str, api: str, token: str, chosen: int) -> None:
    death = Death(chosen)
    database = Database(url)
    event.listen(database.engine, "commit", lambda _connection: death.pass_by("before a commit"))
    # The connection goes back to the pool once its commit is durable.
    event.listen(database.engine.pool, "checkin", lambda *_: death.pass_by("after a commit"))
    trace = aiohttp.TraceConfig()

    async def begins(_session: Any, _context: Any, params: aiohttp.TraceRequestStartParams) -> None:
        death.pass_by(f"before {params.url.path}")

    async def leaves(_session: Any, _context: Any, params: aiohttp.TraceRequestHeadersSentParams) -> None:
        death.pass_by(f"within {params.url.path}")

    async def ends(_session: Any, _context: Any, params: aiohttp.TraceRequestEndParams) -> None:
        death.pass_by(f"after {params.url.path}")

    trace.on_request_start.append(begins)
    trace.on_request_headers_sent.append(leaves)
    trace.on_request_end.append(ends)
    client = open_client(token, base_url=api, traces=[trace])
    outbox = Outbox(database, client)
    task = asyncio.create_task(outbox.run())

    async def all_sent() -> bool:
        return not database.read_now(rows.channels)

    await until(all_sent, seconds=30)
    print(f"passed {death.passed}", flush=True)
    task.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
