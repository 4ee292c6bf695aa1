"""The HTTP side of the Messages API: check a request, look up its answer, send it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import secrets
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from bot.sandbox.loopback import listen, only_local
from bot.sandbox.messages.requests import (
    KEY_PREFIX,
    MODELS,
    Refused,
    check_count,
    check_headers,
    check_message,
    estimate_tokens,
    text_of,
)
from bot.sandbox.messages.script import ERROR_TYPES, Answer, Script

Json = dict[str, Any]

MAX_BODY: Final = 32 * 1024 * 1024  # https://platform.claude.com/docs/en/api/errors#request-size-limits
_KEPT: Final = 1000
_KEPT_HEADERS: Final = ("anthropic-version", "anthropic-beta", "user-agent", "x-stainless-retry-count")


class MessagesSandbox:
    """A running stand-in. Use it from the loop that started it."""

    def __init__(self) -> None:
        self.api_key = f"{KEY_PREFIX}{secrets.token_hex(16)}"
        self.port = 0
        self.url = ""
        self._script = Script()
        self._requests: deque[Json] = deque(maxlen=_KEPT)
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def requests(self) -> tuple[Json, ...]:
        """What was asked so far: path, headers that matter, body, status."""
        return tuple(self._requests)

    def script(self, *answers: Mapping[str, Any]) -> None:
        """Add answers, as `POST /sandbox/messages/script` does. Raises ValueError."""
        self._script.add([Answer.from_json(dict(answer)) for answer in answers])

    async def stop(self) -> None:
        """Stop serving; requests that are being delayed lose their connection."""
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _listen(self, host: str, port: int) -> None:
        app = web.Application(middlewares=[only_local], client_max_size=MAX_BODY)
        app.add_routes(
            [
                web.post("/v1/messages", self._messages),
                web.post("/v1/messages/count_tokens", self._count),
                web.get("/v1/models", self._models),
                web.get("/v1/models/{model}", self._models),
                web.post("/sandbox/messages/script", self._add),
                web.get("/sandbox/messages/script", self._show),
                web.delete("/sandbox/messages/script", self._clear),
                web.get("/sandbox/messages/requests", self._asked),
                web.delete("/sandbox/messages/requests", self._forget),
                web.route("*", "/{path:.*}", self._unknown),
            ]
        )
        self._runner, self.port = await listen(app, host, port)
        self.url = f"http://{'[::1]' if host == '::1' else host}:{self.port}"

    async def _body(self, request: web.Request) -> Json:
        try:
            body = json.loads(await request.read())
        except web.HTTPRequestEntityTooLarge as error:
            raise Refused(413, "request_too_large", "Request exceeds the maximum size") from error
        except (ValueError, RecursionError) as error:
            raise Refused(400, "invalid_request_error", "The request body is not valid JSON") from error
        if not isinstance(body, dict):
            raise Refused(400, "invalid_request_error", "The request body should be an object")
        return body

    def _record(self, request: web.Request, body: Json | None, status: int) -> None:
        headers = {key: request.headers[key] for key in _KEPT_HEADERS if key in request.headers}
        entry = {"path": request.path, "headers": headers, "body": body, "status": status}
        self._requests.append(entry)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        body: Json | None = None
        try:
            check_headers(request.headers)
            body = await self._body(request)
            check_message(body, request.headers["anthropic-version"])
            if body.get("stream"):
                raise Refused(501, "api_error", "not_played: this stand-in does not stream")
            answer = self._script.take(body["model"], text_of(body))
            if answer is None:
                raise Refused(
                    500,
                    "api_error",
                    "not_scripted: this stand-in is no model; script an answer with POST /sandbox/messages/script",
                )
        except Refused as refused:
            self._record(request, body, refused.status)
            return _error(refused.status, refused.kind, str(refused))
        if answer.delay and not await self._wait(answer.delay):
            return self._cut(request, body)
        if answer.kind == "drop":
            return self._cut(request, body)
        response = _play(answer, body)
        self._record(request, body, response.status)
        return response

    async def _wait(self, seconds: float) -> bool:
        """Wait out a delay; False when the stand-in stops first."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return True
        return False

    def _cut(self, request: web.Request, body: Json) -> web.Response:
        self._record(request, body, 0)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()  # nobody is there to read it

    async def _count(self, request: web.Request) -> web.Response:
        body: Json | None = None
        try:
            check_headers(request.headers)
            body = await self._body(request)
            check_count(body)
        except Refused as refused:
            self._record(request, body, refused.status)
            return _error(refused.status, refused.kind, str(refused))
        self._record(request, body, 200)
        return _ok({"input_tokens": estimate_tokens(body)})

    async def _models(self, request: web.Request) -> web.Response:
        try:
            check_headers(request.headers)
        except Refused as refused:
            return _error(refused.status, refused.kind, str(refused))
        wanted = request.match_info.get("model")
        if wanted is not None:
            if wanted not in MODELS:
                return _error(404, "not_found_error", f"model: {wanted[:80]}")
            return _ok(_model(wanted))
        data = [_model(name) for name in MODELS]
        return _ok({"data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]})

    async def _add(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return web.json_response({"message": "the body has to be application/json"}, status=415)
        try:
            body = await self._body(request)
            answers = body.get("answers")
            if not isinstance(answers, list):
                raise ValueError("answers has to be a list")
            self._script.add([Answer.from_json(answer) for answer in answers])
        except (ValueError, Refused) as error:
            return web.json_response({"message": str(error)}, status=400)
        return await self._show(request)

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response({"answers": [dataclasses.asdict(answer) for answer in self._script.waiting()]})

    async def _clear(self, request: web.Request) -> web.Response:
        self._script.clear()
        return await self._show(request)

    async def _asked(self, request: web.Request) -> web.Response:
        return web.json_response({"requests": list(self._requests)})

    async def _forget(self, request: web.Request) -> web.Response:
        self._requests.clear()
        return web.json_response({"requests": []})

    async def _unknown(self, request: web.Request) -> web.Response:
        return _error(404, "not_found_error", "Not found")


def _play(answer: Answer, body: Json) -> web.Response:
    if answer.kind == "raw":
        return web.Response(text=answer.value, content_type="application/json", headers={"request-id": _request_id()})
    if answer.kind == "error":
        status = answer.value["status"]
        kind = answer.value.get("type") or ERROR_TYPES.get(status, "api_error")
        wait = answer.value.get("retry_after")
        extra = {} if wait is None else {"retry-after": str(wait)}
        return _error(status, kind, answer.value.get("message") or kind, extra)
    text = answer.value if answer.kind == "text" else ""
    if answer.kind == "json":
        text = json.dumps(answer.value, ensure_ascii=False)
    refusal = answer.kind == "refusal"
    stop_details = None
    if refusal:
        stop_details = {
            "type": "refusal",
            "category": answer.value.get("category"),
            "explanation": answer.value.get("explanation"),
        }
    usage = {
        "input_tokens": estimate_tokens(body),
        "output_tokens": max(1, -(-len(text.encode()) // 4)),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "service_tier": "standard",
    }
    return _ok(
        {
            "id": f"msg_local_{secrets.token_hex(12)}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [] if refusal else [{"type": "text", "text": text, "citations": None}],
            "stop_reason": answer.stop_reason or ("refusal" if refusal else "end_turn"),
            "stop_sequence": None,
            "stop_details": stop_details,
            "container": None,
            "diagnostics": None,
            "usage": {**usage, **answer.usage},
        }
    )


def _model(name: str) -> Json:
    return {
        "type": "model",
        "id": name,
        "display_name": MODELS[name],
        "created_at": "2026-10-01T00:00:00Z",
        "deprecated_at": None,
        "retires_at": None,
        "lifecycle": "active",
        "line": name.split("-")[1],
        "max_input_tokens": 1_000_000,
        "max_tokens": 128_000,
        "capabilities": None,
    }


def _request_id() -> str:
    return f"req_local_{secrets.token_hex(12)}"


def _ok(body: Json) -> web.Response:
    return web.json_response(body, headers={"request-id": _request_id()})


def _error(status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    request_id = _request_id()
    return web.json_response(
        {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id},
        status=status,
        headers={"request-id": request_id, **(headers or {})},
    )


async def start(*, port: int, host: str = "127.0.0.1") -> MessagesSandbox:
    """Start a stand-in; port 0 takes any free one.

    Raises ValueError for a host that is not loopback, OSError when the port is taken.
    """
    sandbox = MessagesSandbox()
    await sandbox._listen(host, port)
    return sandbox
