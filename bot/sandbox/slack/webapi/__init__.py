"""The Web API over HTTP: tokens, scopes, rate limits and arguments before a method, Slack's shape after it.

Sources: docs "Using the Slack Web API" (forms, JSON, warnings and errors), "Rate limits" (429 with Retry-After).
"""

import asyncio
import json
from typing import Any

from aiohttp import web

from bot.sandbox.slack.local import LocalSlack, SlackError
from bot.sandbox.slack.webapi import auth, chat, conversations, directory, files, reactions, views
from bot.sandbox.slack.webapi.methods import Method, read_arguments

METHODS: dict[str, Method] = {
    **auth.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **directory.METHODS,
    **files.METHODS,
    **reactions.METHODS,
    **views.METHODS,
}
LARGEST_BODY = 1_000_000
_LOGGED = ("channel", "ts", "thread_ts", "user", "user_id", "view_id", "message_ts", "name", "usergroup", "text")


async def answer(local: LocalSlack, request: web.Request) -> web.StreamResponse:
    """Answer one call of /api/METHOD."""
    name = request.match_info["method"]
    raw: dict[str, Any] = {}
    try:
        method = _method(name)
        _authenticate(local, method, request.headers.get("Authorization", ""))
        raw = await _read_body(request)
        _limit(local, name, method, raw)
        if local.switches.hang.get(name, 0) > 0:
            local.log.add("fault", f"{name}: hangs", level="warning")
            await asyncio.sleep(local.switches.hang[name])
        if local.switches.fail_next[name] > 0:
            local.switches.fail_next[name] -= 1
            local.log.add("fault", f"{name}: HTTP 500 without doing it", level="warning")
            return web.Response(status=500, text="internal_error")
        for scope in method.scopes:
            if scope not in local.app.scopes:
                raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(local.app.scopes)))
        with local.as_app():
            result = method.handler(local, read_arguments(method, raw))
    except _TooFast as too_fast:
        local.log.add("api", f"{name}: ratelimited", level="warning", method=name, ok=False, error="ratelimited")
        return web.json_response(
            {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(too_fast.seconds)}
        )
    except SlackError as refused:
        local.log.add(
            "api",
            f"{name}: {refused.error}",
            level="error",
            method=name,
            ok=False,
            error=refused.error,
            answer=refused.answer,
            arguments=raw if len(str(raw)) < 50_000 else {"left out": "over 50,000 characters"},
        )
        return web.json_response(refused.answer)
    local.log.add("api", name, method=name, ok=True, arguments={key: raw[key] for key in _LOGGED if key in raw})
    if local.switches.lose_answer_next[name] > 0:
        local.switches.lose_answer_next[name] -= 1
        local.log.add("fault", f"{name}: done, and the answer lost", level="warning")
        if request.transport is not None:
            request.transport.abort()
    return web.json_response(result, headers={"x-oauth-scopes": ",".join(sorted(local.app.scopes))})


class _TooFast(Exception):
    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def _method(name: str) -> Method:
    if name not in METHODS:
        raise SlackError("unknown_method", req_method=name)
    return METHODS[name]


def _authenticate(local: LocalSlack, method: Method, header: str) -> None:
    scheme, _, token = header.partition(" ")
    if not token:
        raise SlackError("not_authed")
    wanted, other = local.bot_token, local.app_token
    if method.app_token:
        wanted, other = other, wanted
    if scheme != "Bearer" or token != wanted:
        raise SlackError("not_allowed_token_type" if token == other else "invalid_auth")


async def _read_body(request: web.Request) -> dict[str, Any]:
    arguments: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        body = await request.read()
        if len(body) > LARGEST_BODY:
            raise SlackError("request_too_large")
        if not body:
            return arguments
        try:
            posted = json.loads(body)
        except (ValueError, RecursionError):
            raise SlackError("invalid_json") from None
        if not isinstance(posted, dict):
            raise SlackError("json_not_object")
        return arguments | posted
    form = await request.post()
    if any(not isinstance(value, str) for value in form.values()):
        raise SlackError("invalid_form_data")
    if sum(len(str(value)) for value in form.values()) > LARGEST_BODY:
        raise SlackError("request_too_large")
    return arguments | dict(form)


def _limit(local: LocalSlack, name: str, method: Method, raw: dict[str, Any]) -> None:
    if local.switches.rate_limited_next[name] > 0:
        local.switches.rate_limited_next[name] -= 1
        raise _TooFast(local.switches.retry_after)
    seconds = local.limits.seconds_to_wait(name, method.tier, str(raw.get("channel", "")))
    if seconds is not None:
        raise _TooFast(seconds)
