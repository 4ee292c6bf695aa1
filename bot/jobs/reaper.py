"""The reaper: what a process held that died for ever is taken up by those that live.

Every process runs it, and any of them may take up the same thing: a job is given back by compare-and-set, and so is a
claim of the outbox. A process that cannot show for too long that it lives stands aside: others take it for dead.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial

import structlog
from sqlalchemy import Connection

from bot.jobs.engine import Engine
from bot.store import clock, outbox
from bot.store.database import Database
from bot.store.presence import Presence

log = structlog.get_logger(__name__)

EVERY_SECONDS = 2.0
GRACE_SECONDS = 10.0
"""How long a process may be out of sight, as when its connection broke, before its work is taken up."""


class Reaper:
    """Keeps this process present and takes up what the dead left. ``run`` is its life."""

    def __init__(
        self, database: Database, engine: Engine, presence: Presence, *, grace_seconds: float = GRACE_SECONDS
    ) -> None:
        self._database = database
        self._engine = engine
        self._presence = presence
        self._grace = grace_seconds
        self._seen = time.monotonic()
        self._gone_since: dict[str, float] = {}

    async def be_present(self) -> None:
        """Hold the presence of this process. Raises what the driver raises, or ``TimeoutError`` if it cannot yet."""
        if not await asyncio.to_thread(self._presence.hold):
            raise TimeoutError("the former connection of this process is not yet known to be gone")
        self._seen = time.monotonic()

    async def run(self) -> None:
        """Run until cancelled. A database that is away is waited for."""
        while True:
            await asyncio.sleep(min(EVERY_SECONDS, self._grace / 2))
            try:
                await self.be_present()
                await self.look()
            except Exception as error:
                log.warning("the presence of this process cannot be shown", error=type(error).__name__)
                if time.monotonic() - self._seen > self._grace:
                    self._engine.stand_aside()

    async def look(self) -> None:
        """Take up what those left who have been gone for longer than the grace."""
        holders = await self._engine.executors() | await self._database.read(outbox.senders)
        now = time.monotonic()
        gone = {name for name in holders if await asyncio.to_thread(self._presence.is_gone, name)}
        self._gone_since = {name: self._gone_since.get(name, now) for name in gone}
        for name, since in self._gone_since.items():
            if now - since >= self._grace:
                claims = await self._database.write(partial(_release, name=name))
                jobs = await self._engine.take_up(name)
                log.warning("a process is gone; what it held is taken up", process=name, jobs=jobs, messages=claims)


def _release(connection: Connection, *, name: str) -> int:
    return outbox.orphaned(connection, name, now=clock.advance(connection))
