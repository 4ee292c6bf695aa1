"""Alertmanager's API for silences, as a stand-in on loopback: silences are kept, listed and ended, alerts are told.

Its answers, with their words and statuses, are those that Alertmanager 0.25 gave to the same requests (api/v2); what is
not played here is answered with 404 as there.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from bot.sandbox.loopback import listen, only_local

Json = dict[str, Any]

MAX_BODY: Final = 1024 * 1024
_NEEDED: Final = ("comment", "createdBy", "endsAt", "matchers", "startsAt")
_LABEL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FILTER: Final = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"]*))\s*')


class Refused(Exception):
    """A request that Alertmanager answers with an error."""

    def __init__(self, status: int, answer: Any) -> None:
        super().__init__(str(answer))
        self.status = status
        self.answer = answer


@dataclass
class SilencesSandbox:
    """A running stand-in. ``clock`` is in seconds. ``alerts`` are label sets that fire."""

    clock: Callable[[], float]
    token: str
    alerts: list[dict[str, str]] = field(default_factory=list)
    silences: dict[str, Json] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""
    _runner: web.AppRunner | None = None

    async def stop(self) -> None:
        """Stop serving."""
        if self._runner is not None:
            await self._runner.cleanup()

    def state(self, silence: Mapping[str, Any]) -> str:
        """Whether a silence is pending, active or expired now."""
        now = self.clock()
        if now >= _seconds(silence["endsAt"]):
            return "expired"
        return "active" if now >= _seconds(silence["startsAt"]) else "pending"

    def shown(self, silence: Mapping[str, Any]) -> Json:
        """A silence as the API answers it."""
        return {**silence, "status": {"state": self.state(silence)}}

    def create(self, body: Any) -> Json:
        """Keep a new silence; it begins now if it was to begin before."""
        if not isinstance(body, dict):
            raise Refused(400, {"code": 400, "message": "parsing silence body failed"})
        for key in _NEEDED:
            if key not in body:
                raise Refused(422, {"code": 602, "message": f"{key} in body is required"})
        if not body["matchers"]:
            raise Refused(422, {"code": 612, "message": "matchers in body should have at least 1 items"})
        try:
            starts, ends = _seconds(body["startsAt"]), _seconds(body["endsAt"])
        except (ValueError, TypeError):
            said = f'parsing silence body from "" failed, because parsing time {json.dumps(body["startsAt"])}'
            raise Refused(400, {"code": 400, "message": said}) from None
        if starts >= ends:
            raise Refused(400, "Failed to create silence: start time must be before end time")
        if ends < self.clock():
            raise Refused(400, "Failed to create silence: end time can't be in the past")
        matchers = [{"isEqual": True, **matcher} for matcher in body["matchers"]]
        for index, matcher in enumerate(matchers):
            if not _LABEL.fullmatch(str(matcher["name"])):
                said = f'silence invalid: invalid label matcher {index}: invalid label name "{matcher["name"]}"'
                raise Refused(400, said)
        if all(_fits(matcher, "") for matcher in matchers):
            raise Refused(400, "silence invalid: at least one matcher must not match the empty string")
        made = str(uuid.uuid4())
        now = self.clock()
        self.silences[made] = {
            "id": made,
            "updatedAt": _time(now),
            "comment": body["comment"],
            "createdBy": body["createdBy"],
            "endsAt": _time(ends),
            "matchers": matchers,
            "startsAt": _time(max(starts, now)),
        }
        return {"silenceID": made}

    def expire(self, silence_id: str) -> None:
        """End a silence; one that is over stays so."""
        silence = self.silences.get(silence_id)
        if silence is None:
            raise Refused(500, "silence not found")
        if self.state(silence) != "expired":
            silence["endsAt"] = silence["updatedAt"] = _time(self.clock())

    def silenced_by(self, labels: Mapping[str, str]) -> list[str]:
        """The ids of the active silences that keep an alert with these labels quiet."""
        return [
            silence["id"]
            for silence in self.silences.values()
            if self.state(silence) == "active" and all(_fits(m, labels.get(m["name"], "")) for m in silence["matchers"])
        ]


async def start(
    *, port: int, host: str = "127.0.0.1", token: str = "", clock: Callable[[], float] = time.time
) -> SilencesSandbox:
    """Serve the API; port 0 takes any free one. With a ``token`` every request needs it."""
    sandbox = SilencesSandbox(clock, token)
    app = web.Application(middlewares=[only_local], client_max_size=MAX_BODY)
    app.router.add_route("*", "/{path:.*}", _Api(sandbox).handle)
    sandbox._runner, real_port = await listen(app, host, port)
    sandbox.url = f"http://{host}:{real_port}"
    return sandbox


class _Api:
    def __init__(self, sandbox: SilencesSandbox) -> None:
        self._sandbox = sandbox

    async def handle(self, request: web.Request) -> web.Response:
        sandbox = self._sandbox
        if sandbox.token and request.headers.get("Authorization") != f"Bearer {sandbox.token}":
            return web.Response(status=401, text="Unauthorized\n")
        sandbox.calls.append((request.method, request.path))
        try:
            answer = await self._answer(request)
        except Refused as refused:
            return web.json_response(refused.answer, status=refused.status)
        return web.Response(status=200) if answer is None else web.json_response(answer)

    async def _answer(self, request: web.Request) -> Any:
        sandbox, filters = self._sandbox, request.query.getall("filter", [])
        _, _, name = request.path.partition("/api/v2/silence/")
        if name and request.method in ("GET", "DELETE"):
            return self._one(request.method, name)
        match request.method, request.path:
            case "GET", "/api/v2/status":
                return {"cluster": {"peers": [], "status": "disabled"}, "versionInfo": {"version": "0.25.0"}}
            case "GET", "/api/v2/silences":
                wanted = [_parsed(each) for each in filters]
                kept = [each for each in sandbox.silences.values() if _selected(each["matchers"], wanted)]
                return [sandbox.shown(each) for each in kept]
            case "POST", "/api/v2/silences":
                return sandbox.create(await _body(request))
            case "GET", "/api/v2/alerts":
                return self._alerts([_parsed(each) for each in filters], request.query)
            case "POST", "/api/v2/alerts":
                sandbox.alerts += [alert["labels"] for alert in await _body(request)]
                return None
        raise Refused(404, {"code": 404, "message": f"path {request.path} was not found"})

    def _one(self, method: str, name: str) -> Json | None:
        try:
            silence_id = str(uuid.UUID(name))
        except ValueError:
            message = f"silenceID in path must be of type uuid: {json.dumps(name)}"
            raise Refused(422, {"code": 601, "message": message}) from None
        if method == "DELETE":
            self._sandbox.expire(silence_id)
            return None
        if silence_id not in self._sandbox.silences:
            raise Refused(404, None)
        return self._sandbox.shown(self._sandbox.silences[silence_id])

    def _alerts(self, wanted: Sequence[Json], query: Mapping[str, str]) -> list[Json]:
        found = []
        for labels in self._sandbox.alerts:
            by = self._sandbox.silenced_by(labels)
            fits = all(_fits(each, labels.get(each["name"], "")) for each in wanted)
            if fits and not (by and query.get("silenced") == "false"):
                state = "suppressed" if by else "active"
                found.append({"labels": labels, "status": {"state": state, "silencedBy": by, "inhibitedBy": []}})
        return found


async def _body(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError:
        raise Refused(400, {"code": 400, "message": "parsing silence body failed"}) from None


def _parsed(text: str) -> Json:
    found = _FILTER.fullmatch(text)
    if found is None:
        raise Refused(400, f"bad matcher format: {text}")
    name, operator, quoted, plain = found.groups()
    value = plain if quoted is None else re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), quoted)
    return {"name": name, "value": value, "isRegex": "~" in operator, "isEqual": operator.startswith("=")}


def _selected(matchers: Sequence[Json], wanted: Sequence[Json]) -> bool:
    """Whether a silence is listed: a filter is held against the values of its matchers of that name."""
    return all(
        any(matcher["name"] == each["name"] and _fits(each, matcher["value"]) for matcher in matchers)
        for each in wanted
    )


def _fits(matcher: Mapping[str, Any], value: str) -> bool:
    text = str(matcher["value"])
    same = re.fullmatch(text, value) is not None if matcher.get("isRegex") else text == value
    return same is bool(matcher.get("isEqual", True))


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
