"""A stand-in for Loki: takes log lines by its push API and answers range queries over them, as strictly as Loki does.

    sandbox = await start(port=0, tenant="shop", token="…")
    POST {sandbox.url}/loki/api/v1/push            {"streams": [{"stream": {…}, "values": [["ns", "line"], …]}]}
    GET  {sandbox.url}/loki/api/v1/query_range     query, start, end, limit, direction

Sources: docs "Loki HTTP API"; pkg/loghttp/params.go (parameters and their errors), pkg/validation/limits.go (5,000
entries and 30d1h a query, 256 KiB a line), pkg/util/validation (the sentences), pkg/util/server/error.go (errors are
plain text), dskit middleware (401 "no org id"). Loki has no authentication of its own: `token` is the gateway's before
it. Played are stream selectors and line filters; any other LogQL is a 501.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import re2
from aiohttp import web

from bot.sandbox.loopback import listen, only_local

Json = dict[str, Any]

MAX_ENTRIES: Final = 5_000
MAX_QUERY_SECONDS: Final = 30 * 86_400 + 3_600
MAX_LINE: Final = 256 * 1024
MAX_BODY: Final = 4 * 1024 * 1024  # the default grpc_server_max_recv_msg_size
_DEFAULT_ENTRIES: Final = 100
_DEFAULT_SECONDS: Final = 3_600
_KEPT: Final = 500_000
_NS: Final = 1_000_000_000

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`')
_SPACE = re.compile(r"\s*")
_NO_MATCHER = (
    "parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible "
    'value. For instance, app=~".*" does not meet this requirement, but app=~".+" will'
)


class Refused(Exception):
    """A request that Loki would answer with this status and this plain text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a stream. `serial` keeps lines of the same instant in the order in which they came."""

    at: int
    serial: int
    labels: tuple[tuple[str, str], ...]
    line: str


@dataclass(frozen=True, slots=True)
class Query:
    """A log query: which streams, and which of their lines."""

    matchers: tuple[tuple[str, str, str], ...]
    filters: tuple[tuple[str, str], ...]

    def takes(self, entry: Entry) -> bool:
        """Say whether an entry is an answer."""
        labels = dict(entry.labels)
        return all(_fits(operator, value, labels.get(name, "")) for name, operator, value in self.matchers) and all(
            _passes(operator, value, entry.line) for operator, value in self.filters
        )


def parse(text: str) -> Query:
    """Read LogQL. Raises `Refused`: 400 with Loki's words for what it refuses, 501 for what is not played here."""
    at = _skip(text, 0)
    if not text[at:]:
        raise Refused(400, "parse error : syntax error: unexpected $end")
    if text[at] != "{":
        if re.match(r"[a-z_]+\s*[({]", text[at:]):
            raise Refused(501, "this stand-in plays log queries only, no metric queries")
        raise _unexpected(text, at)
    matchers, at = _selector(text, _skip(text, at + 1))
    filters: list[tuple[str, str]] = []
    while at < len(text):
        operator = text[at : at + 2]
        if operator not in ("|=", "|~", "!=", "!~"):
            if text[at] == "|":
                raise Refused(501, "this stand-in plays line filters only, no parsers, label filters or formats")
            raise _unexpected(text, at)
        value, at = _string(text, _skip(text, at + 2))
        if operator[1] == "~":
            _compiled(value)
        filters.append((operator, value))
        at = _skip(text, at)
    if not any(operator in ("=", "=~") and not _fits(operator, value, "") for _, operator, value in matchers):
        raise Refused(400, _NO_MATCHER)
    return Query(tuple(matchers), tuple(filters))


def _selector(text: str, at: int) -> tuple[list[tuple[str, str, str]], int]:
    matchers: list[tuple[str, str, str]] = []
    while text[at : at + 1] != "}":
        label = _LABEL.match(text, at)
        if label is None:
            raise _unexpected(text, at)
        at = _skip(text, label.end())
        operator = next((one for one in ("=~", "!=", "!~", "=") if text.startswith(one, at)), "")
        if not operator:
            raise _unexpected(text, at)
        value, at = _string(text, _skip(text, at + len(operator)))
        if operator[1:] == "~":
            _compiled(value)
        matchers.append((label.group(), operator, value))
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "}":
            raise _unexpected(text, at)
    return matchers, _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _string(text: str, at: int) -> tuple[str, int]:
    found = _STRING.match(text, at)
    if found is None:
        raise _unexpected(text, at)
    written = found.group()
    if written.startswith("`"):
        return written[1:-1], found.end()
    try:  # what Go and JSON both take is all that is played
        value = json.loads(written)
    except ValueError:
        raise Refused(400, f"parse error at line 1, col {at + 1}: invalid char escape") from None
    return str(value), found.end()


def _unexpected(text: str, at: int) -> Refused:
    what = "$end" if at >= len(text) else text[at]
    return Refused(400, f"parse error at line 1, col {at + 1}: syntax error: unexpected {what}")


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise Refused(400, f"parse error : error parsing regexp: {said}") from None


def _fits(operator: str, value: str, label: str) -> bool:
    if operator[1:] == "~":
        return bool(_compiled(value).fullmatch(label)) is (operator == "=~")
    return (label == value) is (operator == "=")


def _passes(operator: str, value: str, line: str) -> bool:
    found = bool(_compiled(value).search(line)) if operator[1] == "~" else value in line
    return found is operator.startswith("|")


class LokiSandbox:
    """A running stand-in. `asked` are the range queries so far, `slow` delays each answer, in seconds."""

    def __init__(self, tenant: str, token: str, clock: Callable[[], float]) -> None:
        self.tenant = tenant
        self.token = token
        self.port = 0
        self.url = ""
        self.slow = 0.0
        self.asked: list[Json] = []
        self._clock = clock
        self._entries: list[Entry] = []
        self._serial = 0
        self._runner: web.AppRunner | None = None

    def push(self, labels: Mapping[str, str], values: list[tuple[int, str]]) -> None:
        """Store lines of one stream, each with its time in nanoseconds. Raises `Refused`."""
        name = "{" + ", ".join(f'{key}="{value}"' for key, value in sorted(labels.items())) + "}"
        if not labels:
            raise Refused(400, "error at least one label pair is required per stream")
        for at, line in values:
            if len(line.encode()) > MAX_LINE:
                size = len(line.encode())
                raise Refused(400, f"Max entry size '{MAX_LINE}' bytes exceeded for stream '{name}', length '{size}'")
            self._serial += 1
            self._entries.append(Entry(at, self._serial, tuple(sorted(labels.items())), line))
        del self._entries[:-_KEPT]

    async def stop(self) -> None:
        """Stop serving."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _listen(self, host: str, port: int) -> None:
        app = web.Application(middlewares=[only_local], client_max_size=MAX_BODY)
        app.add_routes(
            [
                web.post("/loki/api/v1/push", self._answering(self._push)),
                web.get("/loki/api/v1/query_range", self._answering(self._query_range)),
                web.post("/loki/api/v1/query_range", self._answering(self._query_range)),
                web.get("/loki/api/v1/labels", self._answering(self._labels)),
                web.get("/ready", self._ready),
            ]
        )
        self._runner, self.port = await listen(app, host, port)
        self.url = f"http://{'[::1]' if host == '::1' else host}:{self.port}"

    def _answering(
        self, work: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
                return web.Response(status=401, text="Unauthorized\n")
            if self.tenant and not request.headers.get("X-Scope-OrgID"):
                return web.Response(status=401, text="no org id\n")
            if self.slow:
                await asyncio.sleep(self.slow)
            try:
                return await work(request)
            except Refused as refused:
                return web.Response(status=refused.status, text=str(refused))

        return answer

    async def _ready(self, _request: web.Request) -> web.Response:
        return web.Response(text="ready\n")

    async def _push(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            raise Refused(400, "this stand-in takes JSON, no protobuf")
        try:
            streams = json.loads(await request.read())["streams"]
            for stream in streams:
                self.push(stream["stream"], [(int(at), str(line)) for at, line, *_ in stream["values"]])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused(400, f"couldn't parse push request: {type(error).__name__}") from None
        return web.Response(status=204)

    async def _labels(self, request: web.Request) -> web.Response:
        names = sorted({name for entry in self._mine(request) for name, _ in entry.labels})
        return web.json_response({"status": "success", "data": names})

    async def _query_range(self, request: web.Request) -> web.Response:
        given: dict[str, str] = dict(request.query)
        if request.method == "POST":
            given |= {key: str(value) for key, value in (await request.post()).items()}
        now = int(self._clock() * _NS)
        limit = _limit(given.get("limit", ""))
        end = _instant(given.get("end", ""), now)
        start = _instant(given.get("start", ""), min(end, now) - _DEFAULT_SECONDS * _NS)
        direction = given.get("direction", "") or "backward"
        if direction.upper() not in ("FORWARD", "BACKWARD"):
            raise Refused(400, f"invalid direction '{direction}'")
        if end < start:
            raise Refused(400, "end timestamp must not be before or equal to start time")
        query = parse(given.get("query", ""))
        if limit > MAX_ENTRIES:
            sentence = "max entries limit per query exceeded, limit > max_entries_limit_per_query"
            raise Refused(400, f"{sentence} ({limit} > {MAX_ENTRIES})")
        if end - start > MAX_QUERY_SECONDS * _NS:
            asked = f"{(end - start) / _NS / 3600:g}h"
            raise Refused(400, f"the query time range exceeds the limit (query length: {asked}, limit: 30d1h)")
        self.asked.append(given)
        backward = direction.upper() == "BACKWARD"
        found = [entry for entry in self._mine(request) if start <= entry.at < end and query.takes(entry)]
        found.sort(key=lambda entry: (entry.at, entry.serial), reverse=backward)
        streams: dict[tuple[tuple[str, str], ...], list[list[str]]] = {}
        for entry in found[:limit]:
            streams.setdefault(entry.labels, []).append([str(entry.at), entry.line])
        result = [{"stream": dict(labels), "values": values} for labels, values in streams.items()]
        data = {"resultType": "streams", "result": result, "stats": {}}
        return web.json_response({"status": "success", "data": data})

    def _mine(self, request: web.Request) -> list[Entry]:
        """What the tenant of a request can see: another tenant's is another, empty world."""
        if self.tenant and request.headers["X-Scope-OrgID"] != self.tenant:
            return []
        return self._entries


def _limit(value: str) -> int:
    if not value:
        return _DEFAULT_ENTRIES
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
        raise Refused(400, f'strconv.Atoi: parsing "{value[:60]}": invalid syntax')
    if int(value) <= 0:
        raise Refused(400, "limit must be a positive value")
    return int(value)


def _instant(value: str, otherwise: int) -> int:
    """Read a time as nanoseconds: digits (seconds up to ten of them), seconds with a fraction, or RFC 3339."""
    if not value:
        return otherwise
    if re.fullmatch(r"[+-]?[0-9]{1,19}", value):
        return int(value) * (_NS if len(value) <= 10 else 1)
    try:
        if "." in value and re.fullmatch(r"[0-9.]{1,30}", value):
            return int(float(value) * _NS)
        return int(datetime.fromisoformat(value).timestamp() * _NS)
    except (ValueError, OverflowError):
        raise Refused(400, f'strconv.ParseInt: parsing "{value[:60]}": invalid syntax') from None


async def start(
    *,
    port: int,
    tenant: str = "",
    token: str | None = None,
    host: str = "127.0.0.1",
    clock: Callable[[], float] = time.time,
) -> LokiSandbox:
    """Start a stand-in; port 0 takes any free one. An empty `tenant` is Loki with auth_enabled: false.

    `token` is what the gateway wants; None makes one up, "" leaves the gateway out. Raises ValueError for a host that
    is not loopback, OSError when the port is taken.
    """
    sandbox = LokiSandbox(tenant, secrets.token_hex(16) if token is None else token, clock)
    await sandbox._listen(host, port)
    return sandbox
