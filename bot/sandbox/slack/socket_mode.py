"""Socket Mode: the connections of the app, and the delivery of each envelope to exactly one of them.

Sources: docs "Using Socket Mode" (hello, disconnect, at most ten connections, any one gets a payload, a ticket URL for
one connection), "Events API" (acknowledge within three seconds; retries at once, after one and after five minutes),
slack_sdk.socket_mode (envelope keys), node-slack-sdk issue 1654 (too_many_websockets), bolt-js issue 1263.
"""

import asyncio
import json
import random
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from bot.sandbox.slack.event_log import EventLog

MOST_CONNECTIONS = 10
TICKET_LIFE = 30.0
_MOST_TICKETS = 100


@dataclass(frozen=True)
class Timings:
    """Slack's deadlines in seconds. Tests shorten the retries; the demo keeps everything as Slack has it."""

    ack: float = 3.0
    event_retries: tuple[float, ...] = (0.0, 60.0, 300.0)
    trigger: float = 3.0
    response_url: float = 1800.0
    response_url_uses: int = 5
    refresh_grace: float = 10.0


@dataclass(frozen=True)
class Delivery:
    """What became of an envelope: `acked` in time or not, the answer's payload, else the reason."""

    acked: bool
    payload: dict[str, Any] | None = None
    reason: str = ""


@dataclass(eq=False)
class _Connection:
    socket: web.WebSocketResponse
    request: web.Request
    leaving: bool = False


@dataclass
class _Waiting:
    future: asyncio.Future[dict[str, Any]]
    takes_payload: bool
    title: str


@dataclass
class SocketMode:
    """The server's side of Socket Mode for one app."""

    app_id: str
    clock: Callable[[], float]
    rng: random.Random
    log: EventLog
    timings: Timings
    ack_delay: float = 0.0
    _tickets: dict[str, float] = field(default_factory=dict)
    _connections: list[_Connection] = field(default_factory=list)
    _waiting: dict[str, _Waiting] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def connections(self) -> int:
        """How many sockets the app has open."""
        return len(self._connections)

    def ticket(self) -> str:
        """The secret of a URL that opens one connection within half a minute."""
        while len(self._tickets) >= _MOST_TICKETS:
            self._tickets.pop(next(iter(self._tickets)))
        ticket = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        self._tickets[ticket] = self.clock() + TICKET_LIFE
        return ticket

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends."""
        expires = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if expires < self.clock():
            raise web.HTTPForbidden(text="this Socket Mode URL is used or expired: call apps.connections.open again")
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        if len(self._connections) >= MOST_CONNECTIONS:
            self.log.add("envelope", "disconnect: too_many_websockets", level="error")
            await socket.send_json(_disconnect("too_many_websockets"))
            await socket.close()
            return socket
        connection = _Connection(socket, request)
        self._connections.append(connection)
        try:
            await socket.send_json(
                {
                    "type": "hello",
                    "num_connections": len(self._connections),
                    "connection_info": {"app_id": self.app_id},
                    "debug_info": {
                        "host": "local-workspace",
                        "build_number": 1,
                        "approximate_connection_time": 18060,
                    },
                }
            )
            self.log.add("envelope", f"hello: {len(self._connections)} connection(s)")
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._take_ack(message.data)
        finally:
            self._connections.remove(connection)
            self.log.add("envelope", f"connection closed, {len(self._connections)} left")
        return socket

    async def deliver(
        self, kind: str, payload: Mapping[str, Any], *, title: str, takes_payload: bool = True, **more: Any
    ) -> Delivery:
        """Send one envelope to one connection, chosen at random, and wait for its acknowledgement."""
        staying = [c for c in self._connections if not c.leaving] or self._connections
        if not staying:
            self.log.add("envelope", f"{title}: the app is not connected", level="error")
            return Delivery(False, reason="no_connection")
        connection = self.rng.choice(staying)
        envelope_id = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = _Waiting(future, takes_payload, title)
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "accepts_response_payload": takes_payload,
            "payload": payload,
            **more,
        }
        self.log.add("envelope", title, payload=dict(payload))
        try:
            async with asyncio.timeout(self.timings.ack):
                await connection.socket.send_json(envelope)
                return Delivery(True, await future)
        except (TimeoutError, ConnectionError):
            self.log.add("ack", f"{title}: not acknowledged within {self.timings.ack:g} s", level="error")
            return Delivery(False, reason="timeout")
        finally:
            del self._waiting[envelope_id]

    def send_event(self, payload: Mapping[str, Any]) -> None:
        """Deliver an event in the background and retry it as Slack does, with the same event_id."""
        self._in_background(self._send_event(payload))

    async def _send_event(self, payload: Mapping[str, Any]) -> None:
        title = f"event {payload['event']['type']} {payload['event_id']}"
        reason = ""
        for attempt, pause in enumerate((None, *self.timings.event_retries)):
            if pause is not None:
                await asyncio.sleep(pause)
            delivery = await self.deliver(
                "events_api",
                payload,
                title=title if not attempt else f"{title} (retry {attempt})",
                takes_payload=False,
                retry_attempt=attempt,
                retry_reason=reason,
            )
            if delivery.acked:
                return
            reason = "timeout" if delivery.reason == "timeout" else "connection_failed"
        self.log.add("envelope", f"{title}: given up", level="error")

    async def disconnect(self, reason: str) -> None:
        """Tell every connection to go (`warning` or `refresh_requested`); the latter closes them after a grace."""
        for connection in list(self._connections):
            connection.leaving = reason != "warning"
            await connection.socket.send_json(_disconnect(reason))
            if connection.leaving:
                self._in_background(self._close_after_grace(connection))
        self.log.add("fault", f"disconnect: {reason}", level="warning")

    def drop(self) -> None:
        """Cut every connection without a word, as a broken network does."""
        for connection in list(self._connections):
            if connection.request.transport is not None:
                connection.request.transport.abort()
        self.log.add("fault", "connections dropped", level="warning")

    async def stop(self) -> None:
        """Close every connection and stop all retries."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in list(self._connections):
            await connection.socket.close()

    async def _close_after_grace(self, connection: _Connection) -> None:
        await asyncio.sleep(self.timings.refresh_grace)
        await connection.socket.close()

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _take_ack(self, text: str) -> None:
        try:
            answer = json.loads(text)
            envelope_id = answer["envelope_id"]
            payload = answer.get("payload") or {}
        except (ValueError, KeyError, TypeError, AttributeError):
            self.log.add("ack", "a message without envelope_id came over the socket", level="error")
            return
        waiting = self._waiting.get(envelope_id) if isinstance(envelope_id, str) else None
        if waiting is None:
            self.log.add("ack", "an acknowledgement came too late or twice", level="warning")
            return
        if payload and not waiting.takes_payload:
            self.log.add("ack", f"{waiting.title}: the answer's payload is ignored", level="warning")
        if not isinstance(payload, dict):
            self.log.add("ack", f"{waiting.title}: the answer's payload is no object", level="error")
            payload = {}
        asyncio.get_running_loop().call_later(self.ack_delay, _settle, waiting.future, payload)


def _settle(future: asyncio.Future[dict[str, Any]], payload: dict[str, Any]) -> None:
    if not future.done():
        future.set_result(payload)


def _disconnect(reason: str) -> dict[str, Any]:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "local-workspace"}}
