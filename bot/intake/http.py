"""The HTTP server: webhooks in, health and metrics out. Every answer is JSON that says what is wrong and what to do.

A webhook is authenticated before its body is read, bounded while it is read, parsed off the loop, stored, and only then
answered 2xx. What we cannot store is a 503, which Alertmanager retries; never a 4xx for our own trouble.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from bot.domain.alert import Delivery
from bot.intake import alertmanager
from bot.intake.alertmanager import Bounds, Refused
from bot.intake.bodies import READ_SECONDS, Bodies, Unread
from bot.store import alerts, clock
from bot.store.alerts import Accepted
from bot.store.database import Database

log = structlog.get_logger(__name__)

STORE_SECONDS = 8.0  # below the 10 s at which Alertmanager's shortest group_interval gives up
LARGE_BODY = 1024 * 1024
LARGE_AT_ONCE = 2

Starter = Callable[[str, str, int], None]
Health = Callable[[], Awaitable["Readiness"]]


@dataclass(frozen=True, slots=True)
class Readiness:
    """What works and what does not. ``ready`` is whether webhooks can be stored; ``problems`` say what else fails."""

    ready: bool
    problems: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


class Metrics:
    """The counters of what came in, on a registry that the app shares."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.webhooks = Counter("signoff_webhooks_total", "Webhooks by answer.", ["status"], registry=registry)
        self.alerts = Counter(
            "signoff_alerts_total", "Alerts stored, by what they were.", ["change"], registry=registry
        )
        self.seconds = Histogram(
            "signoff_webhook_seconds",
            "Seconds from a webhook's headers to its answer.",
            registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10),
        )


class Intake:
    """The webhook handlers. ``sources`` are the names that may stand behind ``/webhooks/alertmanager/``."""

    def __init__(
        self,
        database: Database,
        start: Starter,
        *,
        token: str,
        sources: frozenset[str],
        bounds: Bounds,
        metrics: Metrics,
        read_seconds: float = READ_SECONDS,
        store_seconds: float = STORE_SECONDS,
    ) -> None:
        if not token:
            raise ValueError("a webhook token is mandatory")
        self._database = database
        self._start = start
        self._token = token.encode()
        self._sources = sources
        self._bounds = bounds
        self._metrics = metrics
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)
        self._bodies = Bodies(bounds.bytes, read_seconds=read_seconds)
        self._store_seconds = store_seconds

    async def alertmanager(self, request: web.Request) -> web.Response:
        """Take one webhook of Alertmanager."""
        started = asyncio.get_running_loop().time()
        response = await self._alertmanager(request)
        self._metrics.webhooks.labels(str(response.status)).inc()
        self._metrics.seconds.observe(asyncio.get_running_loop().time() - started)
        return response

    async def _alertmanager(self, request: web.Request) -> web.Response:
        if not self._authentic(request):
            return _problem(
                401,
                "the bearer token is missing or wrong: send Authorization: Bearer with the token "
                "that SIGNOFF_ALERTMANAGER_TOKEN holds",
                {"WWW-Authenticate": "Bearer"},
            )
        source = request.match_info.get("source", "default")
        if source not in self._sources:
            return _problem(404, "no such alert source is configured: add it under sources in the configuration file")
        try:
            async with self._bodies.read(request) as body:
                return await self._take(source, body)
        except Unread as unread:
            log.info("webhook not read", why=str(unread))
            return _problem(unread.status, str(unread))

    async def _take(self, source: str, body: bytearray) -> web.Response:
        try:
            delivery = await self._parsed(body, source)
        except Refused as refused:
            log.info("webhook refused", why=str(refused), bytes=len(body))
            return _problem(400, str(refused))
        try:
            async with asyncio.timeout(self._store_seconds):
                accepted = await self._database.write(
                    lambda connection: alerts.accept(connection, delivery, now=clock.now(connection)), urgent=True
                )
        except Exception as error:
            log.error("webhook could not be stored", error=type(error).__name__)
            return _problem(503, "the alerts could not be stored: try again")
        return self._answer(accepted, len(delivery.alerts))

    async def _parsed(self, body: bytearray, source: str) -> Delivery:
        work = partial(alertmanager.parse, body, source=source, bounds=self._bounds)
        if len(body) <= LARGE_BODY:
            return await asyncio.to_thread(work)
        async with self._large:
            return await asyncio.to_thread(work)

    def _answer(self, accepted: Accepted, received: int) -> web.Response:
        self._metrics.alerts.labels("new").inc(accepted.new)
        self._metrics.alerts.labels("changed").inc(accepted.changed)
        # Rows may change of which the body says nothing: a start is over when a newer one is known.
        self._metrics.alerts.labels("unchanged").inc(max(0, received - accepted.new - accepted.changed))
        if accepted.generation is not None:
            self._start("group", accepted.group_id, accepted.generation)
        return web.json_response(
            {"stored": received, "new": accepted.new, "changed": accepted.changed, "group": accepted.group_id}
        )

    def _authentic(self, request: web.Request) -> bool:
        sent = request.headers.getall("Authorization", [])
        if len(sent) != 1:
            return False
        scheme, _, token = sent[0].partition(" ")
        presented = token.strip().encode("utf-8", "surrogateescape")
        return scheme.lower() == "bearer" and hmac.compare_digest(presented, self._token)


def build(intake: Intake, metrics: Metrics, health: Health, routes: Iterable[web.RouteDef] = ()) -> web.Application:
    """Put the routes together; ``routes`` are those of other senders."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def readyz(_request: web.Request) -> web.Response:
        state = await health()
        body = {"ready": state.ready, "problems": list(state.problems), **state.details}
        return web.json_response(body, status=200 if state.ready else 503)

    async def scrape(_request: web.Request) -> web.Response:
        text = await asyncio.to_thread(generate_latest, metrics.registry)
        return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    app = web.Application(middlewares=[_json_errors], client_max_size=0)
    app.add_routes(
        [
            web.post("/webhooks/alertmanager", intake.alertmanager),
            web.post("/webhooks/alertmanager/{source}", intake.alertmanager),
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/metrics", scrape),
            *routes,
        ]
    )
    return app


@web.middleware
async def _json_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        response = await handler(request)
        if request.content.exception() is not None:
            # What cannot be decoded has no end to read to: aiohttp would try, and log a traceback.
            request.content.feed_eof()
            response.force_close()
        return response
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return _problem(error.status, error.reason.lower(), headers)
    except Exception as error:
        log.error("request failed", path=request.path, exc_info=error)
        return _problem(500, "something went wrong here; it is in the log")


def _problem(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, text=json.dumps({"error": sentence}), content_type="application/json", headers=headers
    )
