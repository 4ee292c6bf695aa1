"""Webhooks as GitHub sends them: signed, ten seconds to answer, never sent again by itself.

Sources: docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries (HMAC-SHA256 of the raw body in
``X-Hub-Signature-256``), /handling-failed-webhook-deliveries (no retry; a redelivery has the same delivery id),
/webhooks/webhook-events-and-payloads (headers; 25 MB at most).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

Json = dict[str, Any]

SECONDS = 10.0
MAX_BYTES = 25 * 1024 * 1024
HOOK_ID = 909090


@dataclass
class Delivery:
    """One delivery: ``guid`` stays the same when it is delivered again."""

    id: int
    guid: str
    event: str
    action: str | None
    body: bytes
    status_code: int = 0
    redelivery: bool = False
    delivered: bool = False
    repository: str = ""
    at: float = field(default_factory=time.time)

    def as_json(self) -> Json:
        """The entry of the list of deliveries."""
        ok = 200 <= self.status_code < 300
        return {
            "id": self.id,
            "guid": self.guid,
            "event": self.event,
            "action": self.action,
            "status": "OK" if ok else "failed" if self.delivered else "pending",
            "status_code": self.status_code,
            "redelivery": self.redelivery,
            "repository": self.repository,
            "at": self.at,
        }


class Webhooks:
    """Sends what happened to ``url``, one after the other; with no url it is only kept."""

    def __init__(self, next_id: Callable[[], int], *, app_id: int) -> None:
        self.url = ""
        self.secret = ""
        self.deliveries: list[Delivery] = []
        self._next_id = next_id
        self._app_id = app_id
        self._waiting: asyncio.Queue[Delivery] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to deliver."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop delivering."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def emit(self, event: str, payload: Json) -> Delivery | None:
        """Deliver an event. What is larger than 25 MB is never sent."""
        body = json.dumps(payload, separators=(",", ":")).encode()
        if len(body) > MAX_BYTES:
            return None
        name = str((payload.get("repository") or {}).get("full_name", ""))
        delivery = Delivery(self._next_id(), str(uuid.uuid4()), event, payload.get("action"), body, repository=name)
        return self._queue(delivery)

    def redeliver(self, delivery_id: int) -> Delivery | None:
        """Deliver again what was delivered, under the same guid. None if there is no such delivery."""
        for old in self.deliveries:
            if old.id == delivery_id:
                again = Delivery(self._next_id(), old.guid, old.event, old.action, old.body, redelivery=True)
                return self._queue(again)
        return None

    def sign(self, body: bytes) -> str:
        """Return the value of ``X-Hub-Signature-256``."""
        return "sha256=" + hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()

    def headers(self, delivery: Delivery) -> dict[str, str]:
        """Return the headers of a delivery."""
        found = {
            "User-Agent": "GitHub-Hookshot/sandbox",
            "Content-Type": "application/json",
            "X-GitHub-Delivery": delivery.guid,
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Hook-ID": str(HOOK_ID),
            "X-GitHub-Hook-Installation-Target-ID": str(self._app_id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
        }
        if self.secret:
            old = hmac.new(self.secret.encode(), delivery.body, hashlib.sha1).hexdigest()
            found |= {"X-Hub-Signature": f"sha1={old}", "X-Hub-Signature-256": self.sign(delivery.body)}
        return found

    def _queue(self, delivery: Delivery) -> Delivery:
        self.deliveries.append(delivery)
        self._waiting.put_nowait(delivery)
        return delivery

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                delivery = await self._waiting.get()
                if self.url:
                    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                        headers = self.headers(delivery)
                        async with session.post(self.url, data=delivery.body, headers=headers) as response:
                            delivery.status_code = response.status
                delivery.delivered = True
