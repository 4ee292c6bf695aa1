"""The HTTP side: authenticate, count against the limits, answer; and the control API through which tests act."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.github.acts import Acts
from bot.sandbox.github.credentials import Caller, Credentials
from bot.sandbox.github.hub import Hub, Json
from bot.sandbox.github.rate_limits import Limits, RateLimits
from bot.sandbox.github.refusal import Refusal
from bot.sandbox.github.rest import ROUTES
from bot.sandbox.github.rest.call import Answer, Call, Route
from bot.sandbox.github.webhooks import Webhooks
from bot.sandbox.loopback import listen, only_local

MAX_BODY = 10 * 1024 * 1024
_KEPT = 5000
_FAULTS = ("drop", "lose_answer", "delay", "status")


@dataclasses.dataclass
class Fault:
    """Trouble for the next ``times`` calls that match: the connection ends before (``drop``) or after (``lose_answer``)
    the call took effect, the answer comes late (``delay``, seconds), or is ``status``."""

    action: str
    method: str
    path: re.Pattern[str]
    times: int = 1
    value: float = 0


class GitHubSandbox:
    """A running stand-in. Use it from the loop that started it; ``acts`` is what people do."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.hub = Hub(clock)
        self.credentials = Credentials(clock)
        self.limits = RateLimits(clock)
        self.webhooks = Webhooks(self.hub.id, app_id=self.credentials.app_id)
        self.acts = Acts(self.hub, self.webhooks, self.credentials)
        self.calls: deque[Json] = deque(maxlen=_KEPT)
        self.faults: list[Fault] = []
        self.port = 0
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def stop(self) -> None:
        """Stop serving and delivering."""
        await self.webhooks.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _listen(self, host: str, port: int) -> None:
        app = web.Application(middlewares=[only_local], client_max_size=MAX_BODY)
        for route in ROUTES:
            app.router.add_route(route.method, route.path, self._answering(route))
        app.add_routes(
            [
                web.get("/_signed/{name}", self._signed),
                web.get("/sandbox/github/state", self._state),
                web.get("/sandbox/github/calls", self._called),
                web.get("/sandbox/github/deliveries", self._delivered),
                web.post("/sandbox/github/{act}", self._control),
                web.route("*", "/{path:.*}", _unknown),
            ]
        )
        self._runner, self.port = await listen(app, host, port)
        self.url = self.hub.url = f"http://127.0.0.1:{self.port}"
        self.webhooks.start()

    # --- the API ----------------------------------------------------------------------------------------------------

    def _answering(self, route: Route) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.StreamResponse:
            self.limits.running += 1
            try:
                return await self._answer(route, request)
            finally:
                self.limits.running -= 1

        return handler

    async def _answer(self, route: Route, request: web.Request) -> web.StreamResponse:
        fault = self._fault(request)
        if fault and fault.action == "delay":
            await asyncio.sleep(fault.value)
        headers: dict[str, str] = {}
        login = ""
        try:
            if fault and fault.action == "drop":
                return self._cut(request, login)
            if fault and fault.action == "status":
                raise Refusal(int(fault.value), "Server Error")
            if not request.headers.get("User-Agent"):
                raise Refusal(
                    403,
                    "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
                )
            caller = self.credentials.caller(request.headers.get("Authorization", ""))
            login = caller.login
            if caller.kind != "app":
                who = str(self.credentials.installation_id)
                headers = self.limits.take(caller.token, who, method=route.method, content=route.content)
            answer = route.handler(await self._call(route, request, caller))
        except Refusal as refused:
            answer = Answer(refused.status, refused.answer, {**headers, **refused.headers})
        if fault and fault.action == "lose_answer":
            return self._cut(request, login)
        self._record(request, login, answer.status)
        return _response(answer, headers)

    async def _call(self, route: Route, request: web.Request, caller: Caller) -> Call:
        try:
            body = json.loads(await request.read() or b"{}")
        except (ValueError, RecursionError) as error:
            raise Refusal(400, "Problems parsing JSON") from error
        if not isinstance(body, dict):
            raise Refusal(400, "Body should be a JSON object")
        call = Call(
            self.hub,
            self.acts,
            self.webhooks,
            self.credentials,
            caller,
            route.method,
            request.path,
            request.headers.get("Accept", ""),
            request.match_info,
            request.query,
            body,
        )
        if route.permission:
            caller.need(call.repository.full_name, route.permission, route.level)
        return call

    def _fault(self, request: web.Request) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.method in ("*", request.method) and fault.path.search(request.path):
                fault.times -= 1
                return fault
        return None

    def _cut(self, request: web.Request, login: str) -> web.Response:
        self._record(request, login, 0)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _record(self, request: web.Request, login: str, status: int) -> None:
        told = {"method": request.method, "path": request.path, "login": login, "status": status}
        self.calls.append({**told, "at": time.time()})

    async def _signed(self, request: web.Request) -> web.Response:
        content = self.hub.signed(request.match_info["name"])
        # The store behind a signed address refuses a request that is authorised twice.
        if content is None or "Authorization" in request.headers:
            return web.Response(status=403 if content is None else 400, text="AuthenticationFailed")
        return web.Response(body=content, content_type="text/plain")

    # --- the control API --------------------------------------------------------------------------------------------

    async def _called(self, _request: web.Request) -> web.Response:
        return web.json_response({"calls": list(self.calls)})

    async def _delivered(self, _request: web.Request) -> web.Response:
        return web.json_response({"deliveries": [one.as_json() for one in self.webhooks.deliveries]})

    async def _state(self, request: web.Request) -> web.Response:
        try:
            repository = self.hub.repository(request.query.get("repository", ""))
        except Refusal as refused:
            return web.json_response(refused.answer, status=refused.status)
        pulls = []
        for pull in repository.pulls.values():
            told = dataclasses.asdict(pull)
            pulls.append(told)
        return web.json_response(
            {
                "branches": repository.branches,
                "pulls": pulls,
                "issues": [dataclasses.asdict(issue) for issue in repository.issues.values()],
                "checks": repository.checks,
                "dispatched": repository.dispatched,
                "runs": [self.hub.run_json(repository, run) for run in repository.runs.values()],
            }
        )

    async def _control(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return web.json_response({"message": "the body has to be application/json"}, status=415)
        act = request.match_info["act"].replace("-", "_")
        try:
            given = json.loads(await request.read())
            if not isinstance(given, dict):
                raise ValueError("the body has to be an object")
            return web.json_response(self.control(act, given))
        except (ValueError, TypeError, KeyError, re.error) as error:
            return web.json_response({"message": f"{type(error).__name__}: {error}"}, status=400)
        except Refusal as refused:
            return web.json_response(refused.answer, status=refused.status)

    def control(self, act: str, given: Mapping[str, Any]) -> Json:
        """Do one act by its name: those of ``acts``, and fault, limits, webhook, redeliver, expire, personal.

        Raises ``ValueError`` for an unknown one, ``TypeError`` for wrong arguments.
        """
        if act in ("create_repository", "fork", "push", "open_pull", "act_on_pull", "comment", "comment_on_line"):
            return _told(getattr(self.acts, act)(**given))
        if act in ("run_workflow", "finish_run", "deploy", "retarget", "check"):
            return _told(getattr(self.acts, act)(**given))
        if act == "fault":
            if given["action"] not in _FAULTS:
                raise ValueError(f"action: one of {', '.join(_FAULTS)}")
            self.faults.append(Fault(**{**given, "path": re.compile(given["path"])}))
        elif act == "limits":
            self.limits.reset(Limits(**given))
        elif act == "webhook":
            self.webhooks.url, self.webhooks.secret = str(given["url"]), str(given["secret"])
        elif act == "redeliver":
            return {"found": self.webhooks.redeliver(int(given["delivery"])) is not None}
        elif act == "expire":
            self.credentials.expire()
        elif act == "grant":
            self.credentials.granted = {str(name): str(level) for name, level in given["permissions"].items()}
        elif act == "personal":
            return {"token": self.credentials.personal(str(given["login"]), given["permissions"])}
        else:
            raise ValueError(f"there is no act {act}")
        return {}


def _told(made: Any) -> Json:
    fields = made if isinstance(made, dict) else {one.name: getattr(made, one.name) for one in dataclasses.fields(made)}
    return {key: value for key, value in fields.items() if isinstance(value, (str, int, type(None)))}


def _response(answer: Answer, headers: Mapping[str, str]) -> web.Response:
    told = {**headers, **answer.headers, "X-GitHub-Media-Type": "github.v3; format=json"}
    if answer.raw is not None:
        return web.Response(
            status=answer.status, body=answer.raw, headers={**told, "Content-Type": answer.content_type}
        )
    if answer.body is None:
        return web.Response(status=answer.status, headers=told)
    return web.json_response(answer.body, status=answer.status, headers=told)


async def _unknown(_request: web.Request) -> web.Response:
    return web.json_response({"message": "Not Found", "status": "404"}, status=404)


async def start(*, port: int, host: str = "127.0.0.1", clock: Callable[[], float] = time.time) -> GitHubSandbox:
    """Start a stand-in; port 0 takes any free one.

    Raises ValueError for a host that is not loopback, OSError when the port is taken.
    """
    sandbox = GitHubSandbox(clock)
    await sandbox._listen(host, port)
    return sandbox
