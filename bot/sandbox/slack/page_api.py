"""The JSON API below /sandbox/ that the page uses, and that tests and the demo use to see and act as a person.

Reading (GET; `user` is the id of the person who looks):

    /sandbox/session                         {csrf, team, api_url, app: {name, commands, shortcuts, home_tab}}
    /sandbox/users                           {users: [...]}, usergroups
    /sandbox/channels?user=U                 {channels: [...]} that this person sees
    /sandbox/channels/{id}/messages?user=U   {messages: [...]} oldest first, with blocks and `replies`; ephemeral ones
                                             (`is_ephemeral`) for their reader only
    /sandbox/views?user=U                    {modals: [...] bottom first, home}
    /sandbox/files, /sandbox/files/{id}      {files: [...]}, the bytes as text/plain
    /sandbox/pushes                          {pushes: [...]}: what phones showed, one a post, none for an edit
    /sandbox/log?since=N                     {entries: [...]}: API calls, envelopes, acks, faults, with their details
    /sandbox/story                           {text, actions: [{label, href | method + path}]}
    /sandbox/state?user=U&channel=C          all of the above that the page shows, with `revision`
    /sandbox/changes?since=N                 waits up to 25 s for a revision above N: {revision}

Acting (POST, JSON, header X-Sandbox-Token with the session's csrf; `user` is the person who acts):

    /sandbox/message   {user, channel, text, thread_ts?}          type @name to mention, as @signoff
    /sandbox/command   {user, channel, text: "/ops help"}
    /sandbox/click     {user, channel, ts | view_id, action_id, block_id?, value?, confirm?, stale?}
                       `value` is what is chosen or typed; a button has its own, and what is given for it is ignored
    /sandbox/submit    {user, view_id, values: {block_id: answer | {action_id: answer}}}
    /sandbox/close     {user, view_id, all?}
    /sandbox/shortcut  {user, callback_id, channel?, ts?}
    /sandbox/home      {user}                                     opens the Home tab
    /sandbox/react     {user, channel, ts, name, remove?}

Every act answers with what the person then sees: {acked, shown, errors, message, ephemeral: [...], modals: [...],
home}. `shown` is Slack's own complaint ("failed with the error ..."), `errors` the texts below inputs by block_id. With
`wait: seconds` (at most 30) the answer comes as soon as the app, after the act began, has changed something that can be
seen: a new or edited message, an ephemeral answer, a view. What Slack's client would not let a person do is a 409 with
{error}; malformed requests are a 400.

Switches (POST /sandbox/switches, any of):

    rate_limit_scale: 2            multiplies the rate limits; 0 switches them off
    rate_limited_next: {method: n} the next n calls answer 429; retry_after: seconds
    fail_next: {method: n}         the next n calls answer HTTP 500 and do nothing
    lose_answer_next: {method: n}  the next n calls are carried out and the connection is cut before the answer
    hang: {method: seconds}        calls are answered that much later, until it is set back to 0
    ack_delay: seconds             acknowledgements arrive that much later
    disconnect: "refresh_requested" | "warning" | "drop"
    plan_upgrade_required: true    as on a free plan, user groups are refused
    invite: {channel, user}        brings a person, or the bot, into a channel; a stranger makes it a shared one
    remove: {channel, user}
    hire: {user, name}             this person joins the workspace and the bot's channels, as a full member
    deactivate: {user}             an owner ends this person's account
    archive: {channel, archived}
"""

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiohttp import web

from bot.sandbox.slack import acting
from bot.sandbox.slack.acting import NotPossible, Outcome
from bot.sandbox.slack.local import LocalSlack, SlackError
from bot.sandbox.slack.webapi import METHODS
from bot.sandbox.slack.workspace import (
    APP,
    BOT_USER,
    TEAM,
    TEAM_NAMES,
    Channel,
    Message,
    User,
    View,
    channel_json,
    message_json,
    user_json,
    view_json,
)

LONGEST_WAIT = 30.0
_POLL = 25.0


class _Malformed(Exception):
    """The request body is wrong; the message says how."""


class PageApi:
    """The handlers below /sandbox/."""

    def __init__(self, local: LocalSlack, token: str) -> None:
        self._local = local
        self._token = token

    def routes(self) -> list[web.RouteDef]:
        """The routes to register."""
        return [
            web.get("/sandbox/session", self._session),
            web.get("/sandbox/users", self._users),
            web.get("/sandbox/channels", self._channels),
            web.get("/sandbox/channels/{channel}/messages", self._messages),
            web.get("/sandbox/views", self._views),
            web.get("/sandbox/files", self._files),
            web.get("/sandbox/files/{file}", self._file),
            web.get("/sandbox/pushes", self._pushes),
            web.get("/sandbox/log", self._log),
            web.get("/sandbox/story", self._story),
            web.get("/sandbox/state", self._state),
            web.get("/sandbox/changes", self._changes),
            web.post("/sandbox/switches", self._switches),
            *(
                web.post(f"/sandbox/{name}", self._acting(act))
                for name, act in (
                    ("message", self._message),
                    ("command", self._command),
                    ("click", self._click),
                    ("submit", self._submit),
                    ("close", self._close),
                    ("shortcut", self._shortcut),
                    ("home", self._home),
                    ("react", self._react),
                )
            ),
        ]

    # --- reading

    async def _session(self, request: web.Request) -> web.Response:
        app = self._local.app
        return web.json_response(
            {
                "csrf": self._token,
                "team": {"id": TEAM, "name": TEAM_NAMES[TEAM][0]},
                "api_url": f"{self._local.url}/api/",
                "app": {
                    "id": APP,
                    "name": app.bot_name,
                    "user": BOT_USER,
                    "home_tab": app.home_tab,
                    "messages_tab": app.messages_tab,
                    "commands": [
                        {"name": c.name, "description": c.description, "usage_hint": c.usage_hint} for c in app.commands
                    ],
                    "shortcuts": [
                        {"name": s.name, "callback_id": s.callback_id, "kind": s.kind} for s in app.shortcuts
                    ],
                },
            }
        )

    async def _users(self, request: web.Request) -> web.Response:
        workspace = self._local.workspace
        return web.json_response(
            {
                "users": [user_json(user, with_email=True) for user in workspace.users.values()],
                "usergroups": [
                    {"id": group, "handle": handle, "name": name, "users": people}
                    for group, (handle, name, people) in workspace.usergroups.items()
                ],
            }
        )

    async def _channels(self, request: web.Request) -> web.Response:
        return web.json_response({"channels": self._channels_of(self._reader(request))})

    async def _messages(self, request: web.Request) -> web.Response:
        user = self._reader(request)
        channel = acting.visible_channel(self._local, user, request.match_info["channel"])
        return web.json_response({"messages": self._messages_of(user, channel)})

    async def _views(self, request: web.Request) -> web.Response:
        return web.json_response(self._views_of(self._reader(request)))

    async def _files(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "files": [
                    {
                        "id": file.id,
                        "name": file.name,
                        "title": file.title,
                        "size": file.length,
                        "uploaded": file.content is not None,
                        "shared_in": sorted(file.shared_in),
                    }
                    for file in self._local.workspace.files.values()
                ]
            }
        )

    async def _file(self, request: web.Request) -> web.Response:
        file = self._local.workspace.files.get(request.match_info["file"])
        if file is None or file.content is None:
            return web.json_response({"error": "there is no such file"}, status=404)
        return web.Response(body=file.content, content_type="text/plain", charset="utf-8")

    async def _pushes(self, request: web.Request) -> web.Response:
        return web.json_response({"pushes": self._local.workspace.pushes})

    async def _log(self, request: web.Request) -> web.Response:
        since = _whole(request.query.get("since", "0"))
        return web.json_response({"entries": [entry.to_json() for entry in self._local.log.since(since)]})

    async def _story(self, request: web.Request) -> web.Response:
        return web.json_response({"text": self._local.story.text, "actions": self._local.story.actions})

    async def _state(self, request: web.Request) -> web.Response:
        user = self._reader(request)
        state: dict[str, Any] = {
            "revision": self._local.bell.revision,
            "connections": self._local.socket.connections,
            "channels": self._channels_of(user),
            "story": {"text": self._local.story.text, "actions": self._local.story.actions},
            "pushes": self._local.workspace.pushes[-20:],
            "log": [
                {"n": e.n, "at": e.at, "kind": e.kind, "level": e.level, "title": e.title}
                for e in self._local.log.since()[-200:]
            ],
            **self._views_of(user),
        }
        wanted = request.query.get("channel", "")
        if wanted:
            state["messages"] = self._messages_of(user, acting.visible_channel(self._local, user, wanted))
        return web.json_response(state)

    async def _changes(self, request: web.Request) -> web.Response:
        revision = await self._local.bell.wait_beyond(_whole(request.query.get("since", "0")), _POLL)
        return web.json_response({"revision": revision})

    # --- acting

    async def _message(self, user: User, body: dict[str, Any]) -> Outcome:
        channel = acting.visible_channel(self._local, user, _text(body, "channel"))
        return await acting.send(self._local, user, channel, _text(body, "text"), _text(body, "thread_ts", "") or None)

    async def _command(self, user: User, body: dict[str, Any]) -> Outcome:
        channel = acting.visible_channel(self._local, user, _text(body, "channel"))
        return await acting.command(self._local, user, channel, _text(body, "text"))

    async def _click(self, user: User, body: dict[str, Any]) -> Outcome:
        action_id, block_id = _text(body, "action_id"), _text(body, "block_id", "") or None
        answer, confirmed = body.get("value"), _flag(body, "confirm")
        if "view_id" in body:
            view = self._view(user, body)
            return await acting.click_in_view(self._local, user, view, action_id, block_id, answer, confirmed=confirmed)
        message = acting.visible_message(self._local, user, _text(body, "channel"), _text(body, "ts"))
        return await acting.click(
            self._local,
            user,
            message,
            action_id,
            block_id,
            answer,
            confirmed=confirmed,
            stale=_flag(body, "stale"),
        )

    async def _submit(self, user: User, body: dict[str, Any]) -> Outcome:
        values = body.get("values", {})
        if not isinstance(values, dict):
            raise _Malformed("values must be an object of block_id and answer")
        return await acting.submit(self._local, user, self._view(user, body), values)

    async def _close(self, user: User, body: dict[str, Any]) -> Outcome:
        return await acting.close(self._local, user, self._view(user, body), everything=_flag(body, "all"))

    async def _shortcut(self, user: User, body: dict[str, Any]) -> Outcome:
        message = None
        if "ts" in body:
            message = acting.visible_message(self._local, user, _text(body, "channel"), _text(body, "ts"))
        return await acting.shortcut(self._local, user, _text(body, "callback_id"), message)

    async def _home(self, user: User, body: dict[str, Any]) -> Outcome:
        return await acting.open_home(self._local, user)

    async def _react(self, user: User, body: dict[str, Any]) -> Outcome:
        message = acting.visible_message(self._local, user, _text(body, "channel"), _text(body, "ts"))
        return await acting.react(self._local, user, message, _text(body, "name"), remove=_flag(body, "remove"))

    def _acting(
        self, act: Callable[[User, dict[str, Any]], Awaitable[Outcome]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handler(request: web.Request) -> web.Response:
            body = await _body(request)
            wait = body.get("wait", 0)
            if not isinstance(wait, (int, float)) or not 0 <= wait <= LONGEST_WAIT:
                raise _Malformed(f"wait must be a number of seconds from 0 to {LONGEST_WAIT:g}")
            user = acting.acting_user(self._local, _text(body, "user"))
            seen_before = set(self._ephemerals(user))
            changes_before = self._local.app_changes
            outcome = await act(user, body)
            if wait and outcome.acked and not outcome.errors:
                await self._wait_for_app(changes_before, wait)
            fresh = [m for ts, m in self._ephemerals(user).items() if ts not in seen_before]
            return web.json_response(
                {
                    "acked": outcome.acked,
                    "shown": outcome.shown,
                    "errors": outcome.errors,
                    "message": outcome.message,
                    "ephemeral": [message_json(self._local.workspace, m) | {"channel": m.channel} for m in fresh],
                    **self._views_of(user),
                }
            )

        return handler

    async def _wait_for_app(self, changes: int, seconds: float) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while self._local.app_changes == changes:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return
            await self._local.bell.wait_beyond(self._local.bell.revision, left)

    # --- switches

    async def _switches(self, request: web.Request) -> web.Response:
        body = await _body(request)
        readers = self._readers()
        unknown = sorted(set(body) - set(readers))
        if unknown:
            raise _Malformed(f"unknown switches {unknown}; there are {sorted(readers)}")
        # All are read before any is turned, so that a mistake in one turns none.
        for name, turn in [(name, readers[name](value)) for name, value in body.items()]:
            done = turn()
            if inspect.isawaitable(done):
                await done
            self._local.log.add("fault", f"switch {name}", level="warning", value=body[name])
        return web.json_response({"ok": True})

    def _readers(self) -> dict[str, Callable[[Any], Callable[[], object]]]:
        """For each switch, what checks its value and gives the act of turning it."""
        switches, socket = self._local.switches, self._local.socket
        return {
            "rate_limit_scale": lambda value: partial(self._local.limits.rescale, _number(value)),
            "rate_limited_next": lambda value: partial(switches.rate_limited_next.update, _counts(value)),
            "fail_next": lambda value: partial(switches.fail_next.update, _counts(value)),
            "lose_answer_next": lambda value: partial(switches.lose_answer_next.update, _counts(value)),
            "hang": lambda value: partial(switches.hang.update, _counts(value)),
            "retry_after": lambda value: partial(setattr, switches, "retry_after", max(1, int(_number(value)))),
            "ack_delay": lambda value: partial(setattr, socket, "ack_delay", _number(value)),
            "plan_upgrade_required": lambda value: partial(setattr, switches, "plan_upgrade_required", _boolean(value)),
            "invite": lambda value: partial(self._invite, self._channel(value), self._member(value)),
            "remove": lambda value: partial(self._remove, self._channel(value), self._member(value)),
            "hire": self._newcomer,
            "deactivate": lambda value: partial(self._deactivate, self._member(value)),
            "archive": lambda value: partial(
                setattr, self._channel(value), "is_archived", _boolean(value.get("archived", True))
            ),
            "usergroup": self._usergroup,
            "disconnect": self._disconnection,
        }

    def _usergroup(self, value: Any) -> Callable[[], object]:
        """Say anew who is in a user group, as its admins do."""
        groups, known = self._local.workspace.usergroups, self._local.workspace.users
        group = value.get("group") if isinstance(value, dict) else None
        users = value.get("users") if isinstance(value, dict) else None
        if group not in groups or not isinstance(users, list) or not all(user in known for user in users):
            raise _Malformed("give a known group, and users that are a list of known people")
        handle, name, _ = groups[group]
        return partial(groups.__setitem__, group, (handle, name, list(users)))

    def _disconnection(self, how: Any) -> Callable[[], object]:
        if how == "drop":
            return self._local.socket.drop
        if how in ("warning", "refresh_requested"):
            return partial(self._local.socket.disconnect, how)
        raise _Malformed("disconnect must be drop, warning or refresh_requested")

    def _invite(self, channel: Channel, user: User) -> None:
        channel.members.add(user.id)
        if user.team_id != TEAM:
            channel.shared_with.add(user.team_id)
        self._local.bell.ring()

    def _remove(self, channel: Channel, user: User) -> None:
        channel.members.discard(user.id)
        if not any(self._local.workspace.users[member].team_id != TEAM for member in channel.members):
            channel.shared_with.clear()
        self._local.bell.ring()

    def _newcomer(self, value: Any) -> Callable[[], object]:
        given = value if isinstance(value, dict) else {}
        user, name = given.get("user"), given.get("name")
        if not isinstance(user, str) or not isinstance(name, str) or not user.startswith("U") or not name.strip():
            raise _Malformed("give the id of a user, which begins with U, and a name")
        if user in self._local.workspace.users:
            raise _Malformed("there is somebody with this id")
        return partial(self._hire, User(user, name.lower().replace(" ", "."), name, "new"))

    def _hire(self, user: User) -> None:
        self._local.workspace.users[user.id] = user
        for channel in self._local.workspace.channels.values():
            if BOT_USER in channel.members and not channel.is_im:
                channel.members.add(user.id)
        self._local.bell.ring()

    def _deactivate(self, user: User) -> None:
        user.deleted = True
        self._local.bell.ring()

    def _channel(self, value: Any) -> Channel:
        reference = value.get("channel") if isinstance(value, dict) else None
        if not isinstance(reference, str) or reference not in self._local.workspace.channels:
            raise _Malformed("there is no such channel")
        return self._local.workspace.channels[reference]

    def _member(self, value: Any) -> User:
        reference = value.get("user") if isinstance(value, dict) else None
        if not isinstance(reference, str) or reference not in self._local.workspace.users:
            raise _Malformed("there is no such user")
        return self._local.workspace.users[reference]

    # --- what a person sees

    def _reader(self, request: web.Request) -> User:
        return acting.acting_user(self._local, request.query.get("user", ""))

    def _view(self, user: User, body: dict[str, Any]) -> View:
        view = self._local.workspace.view(_text(body, "view_id"))
        if view is None or view.user != user.id:
            raise NotPossible(f"{user.real_name} has no such view open")
        return view

    def _channels_of(self, user: User) -> list[dict[str, Any]]:
        workspace = self._local.workspace
        return [
            channel_json(channel)
            | {
                "joined": user.id in channel.members,
                "latest": max(
                    (m.ts for m in channel.messages.values() if m.user != user.id),
                    default="",
                ),
            }
            for channel in workspace.channels.values()
            if workspace.may_see(user.id, channel)
        ]

    def _messages_of(self, user: User, channel: Channel) -> list[dict[str, Any]]:
        mine = [m for m in channel.ephemerals.values() if m.ephemeral_to == user.id]
        everything = sorted([*channel.messages.values(), *mine], key=lambda m: m.ts)
        top = [self._shown(user, m) for m in everything if not m.is_reply]
        by_ts = {shown["ts"]: shown for shown in top}
        for reply in (m for m in everything if m.is_reply):
            shown = self._shown(user, reply)
            parent = by_ts.get(reply.thread_ts or "")
            if parent is not None:
                parent["replies"].append(shown)
            else:
                top.append(shown)
        return top

    def _shown(self, user: User, message: Message) -> dict[str, Any]:
        shown = message_json(self._local.workspace, message, metadata=True)
        return shown | {"replies": [], "version": message.version, "values": message.values.get(user.id, {})}

    def _views_of(self, user: User) -> dict[str, Any]:
        workspace = self._local.workspace
        home = workspace.homes.get(user.id)
        return {
            "modals": [view_json(workspace, view) for view in workspace.modals.get(user.id, [])],
            "home": view_json(workspace, home) if home else None,
        }

    def _ephemerals(self, user: User) -> dict[str, Message]:
        return {
            ts: message
            for channel in self._local.workspace.channels.values()
            for ts, message in channel.ephemerals.items()
            if message.ephemeral_to == user.id
        }


@web.middleware
async def tell_refusals(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn what a person cannot do, and malformed requests, into short JSON answers."""
    try:
        return await handler(request)
    except NotPossible as refusal:
        return web.json_response({"error": str(refusal)}, status=409)
    except SlackError as refusal:
        return web.json_response({"error": refusal.error, "detail": refusal.answer}, status=409)
    except _Malformed as malformed:
        return web.json_response({"error": str(malformed)}, status=400)


async def _body(request: web.Request) -> dict[str, Any]:
    with contextlib.suppress(ValueError, RecursionError):
        body = await request.json()
        if isinstance(body, dict):
            return body
    raise _Malformed("the body must be a JSON object")


def _text(body: dict[str, Any], key: str, default: str | None = None) -> str:
    value = body.get(key, default)
    if not isinstance(value, str):
        raise _Malformed(f"{key} must be text")
    return value


def _flag(body: dict[str, Any], key: str) -> bool:
    return body.get(key, False) is True


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1_000_000:
        raise _Malformed("the value must be a number from 0 to 1,000,000")
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Malformed("the value must be true or false")
    return value


def _counts(value: Any) -> dict[str, int]:
    if not isinstance(value, dict) or not all(isinstance(count, int) and count >= 0 for count in value.values()):
        raise _Malformed("the value must be an object of method and number of calls")
    unknown = sorted(set(value) - set(METHODS))
    if unknown:
        raise _Malformed(f"this sandbox plays no method {unknown}")
    return value


def _whole(value: str) -> int:
    if not value.isdecimal():
        raise _Malformed("since must be a whole number")
    return int(value)
