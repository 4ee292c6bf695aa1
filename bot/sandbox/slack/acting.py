"""What a person does in the client of Slack: send, command, click, choose, submit and close.

Each act builds the payload that Slack sends, waits for the app's acknowledgement, and says what the person then sees.
Sources: docs "Interaction payloads" (block_actions, view_submission, view_closed, shortcuts), "Slash commands",
"Events" (message.im, app_mention, app_home_opened), "Modals" (response_action).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack import modals, posting, reacting, response_url
from bot.sandbox.slack.blocks import elements_of
from bot.sandbox.slack.inputs import BadAnswer, Values, answered, find_option, first_values, refusals
from bot.sandbox.slack.local import LocalSlack, SlackError
from bot.sandbox.slack.socket_mode import Delivery
from bot.sandbox.slack.tickets import ResponseTarget
from bot.sandbox.slack.workspace import (
    APP,
    BOT_USER,
    TEAM_NAMES,
    Channel,
    Message,
    User,
    View,
    message_json,
    team_json,
    view_json,
)

TROUBLE = "We had some trouble connecting. Try again?"
_NO_ENTERPRISE = {"enterprise": None, "is_enterprise_install": False}


class NotPossible(Exception):
    """The client of Slack would not let this person do this; the message says why."""


@dataclass
class Outcome:
    """What the person sees at once: whether the app acknowledged, Slack's own complaint, errors below inputs."""

    acked: bool
    shown: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    message: str | None = None


def acting_user(local: LocalSlack, user_id: str) -> User:
    """The person who acts; the bot and people who left cannot."""
    user = local.workspace.users.get(user_id)
    if user is None:
        raise NotPossible(f"there is no user {user_id!r}; GET /sandbox/users lists them")
    if user.is_bot or user.deleted:
        raise NotPossible(f"{user.real_name} cannot act: {'it is the app itself' if user.is_bot else 'deactivated'}")
    return user


def visible_channel(local: LocalSlack, user: User, reference: str) -> Channel:
    """The channel, when the person can open it."""
    channel = local.workspace.channels.get(reference) or local.workspace.channel_named(reference)
    if channel is None or not local.workspace.may_see(user.id, channel):
        raise NotPossible(
            f"{user.real_name} does not see the channel {reference!r}; "
            "the switch `invite` brings someone into a channel, and shares it when they belong to another workspace"
        )
    return channel


def visible_message(local: LocalSlack, user: User, reference: str, ts: str) -> Message:
    """The message, when the person sees it; an ephemeral one only for its reader."""
    channel = visible_channel(local, user, reference)
    message = channel.messages.get(ts) or channel.ephemerals.get(ts)
    if message is None or message.ephemeral_to not in (None, user.id):
        raise NotPossible(f"{user.real_name} sees no message {ts} in {reference}")
    return message


async def send(local: LocalSlack, user: User, channel: Channel, typed: str, thread_ts: str | None) -> Outcome:
    """Send a message as a person; mentions are typed as @name and #channel."""
    if user.id not in channel.members:
        raise NotPossible(f"{user.real_name} is not in #{channel.name}")
    if channel.is_im and not local.app.messages_tab:
        raise NotPossible(
            "Sending messages to this app has been turned off (the manifest has no writable messages tab)"
        )
    text = with_mentions(local, typed)
    if not text.strip():
        raise NotPossible("an empty message is not sent")
    posting.check_thread(channel, thread_ts)
    message = posting.post(
        local, channel, user.id, posting.Content(text[: posting.LONGEST_POST], []), thread_ts=thread_ts
    )
    if f"<@{BOT_USER}>" in text and BOT_USER in channel.members and not channel.is_im:
        local.emit(
            message_json(local.workspace, message)
            | {"type": "app_mention", "channel": channel.id, "event_ts": message.ts}
        )
    return Outcome(True, message=message.ts)


async def command(local: LocalSlack, user: User, channel: Channel, typed: str) -> Outcome:
    """Type a slash command; developer commands work in channels, not in threads."""
    if user.id not in channel.members:
        raise NotPossible(f"{user.real_name} is not in #{channel.name}")
    name, _, text = typed.strip().partition(" ")
    known = next((entry for entry in local.app.commands if entry.name == name), None)
    if known is None:
        return Outcome(False, f"{name} is not a valid command.")
    key = local.response_urls.give(user.id, channel.id, None)
    payload = {
        "token": "local",
        "team_id": user.team_id,
        "team_domain": TEAM_NAMES[user.team_id][1],
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.is_im else channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": with_mentions(local, text.strip(), escape=False, labels=True) if known.should_escape else text.strip(),
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": f"{local.url}/commands/{key}",
        "trigger_id": local.triggers.give(user.id),
    }
    delivery = await local.socket.deliver("slash_commands", payload, title=f"command {typed.strip()}")
    if not delivery.acked:
        error = "operation_timeout" if delivery.reason == "timeout" else "dispatch_failed"
        return Outcome(False, f'{name} failed with the error "{error}"')
    if delivery.payload:
        target = ResponseTarget(user.id, channel.id, None, local.clock())
        try:
            with local.as_app():
                answer = response_url.respond(local, target, delivery.payload)
        except SlackError as refused:
            local.log.add("ack", f"{name}: {refused.error}", level="error", answer=refused.answer)
            return Outcome(True, f'{name} failed with the error "{refused.error}"')
        return Outcome(True, message=answer.ts if answer else None)
    return Outcome(True)


async def click(
    local: LocalSlack,
    user: User,
    message: Message,
    action_id: str,
    block_id: str | None = None,
    answer: Any = None,
    *,
    confirmed: bool = False,
    stale: bool = False,
) -> Outcome:
    """Click a button or choose something in a message.

    `answer` is an option's value, a list of them, a user id or text, by the element. `confirmed` says that the person
    accepted the element's confirmation. `stale` looks in older versions too, as a client does that has not yet seen
    the edit.
    """
    versions = [message.blocks, *(reversed(message.earlier) if stale else ())]
    block, element = _element(versions, action_id, block_id)
    channel = local.workspace.channels[message.channel]
    values = message.values.setdefault(user.id, first_values(message.blocks))
    action = _action(local, user, block, element, answer, values, confirmed)
    key = local.response_urls.give(user.id, channel.id, message.ts)
    container: dict[str, Any] = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = _interaction(local, user, "block_actions") | {
        "container": container,
        "channel": {"id": channel.id, "name": "directmessage" if channel.is_im else channel.name},
        "message": message_json(local.workspace, message, metadata=True),
        "state": {"values": values},
        "response_url": f"{local.url}/actions/{key}",
        "actions": [action],
    }
    return await _interact(local, payload, f"click {action_id}")


async def click_in_view(
    local: LocalSlack,
    user: User,
    view: View,
    action_id: str,
    block_id: str | None = None,
    answer: Any = None,
    *,
    confirmed: bool = False,
) -> Outcome:
    """Click a button or choose something in a modal or in the Home tab."""
    block, element = _element([view.body["blocks"]], action_id, block_id)
    action = _action(local, user, block, element, answer, view.values, confirmed)
    if block["type"] == "input" and not block.get("dispatch_action"):
        return Outcome(True)
    payload = _interaction(local, user, "block_actions") | {
        "container": {"type": "view", "view_id": view.id},
        "view": view_json(local.workspace, view),
        "actions": [action],
    }
    return await _interact(local, payload, f"click {action_id} in a {view.body['type']}")


async def submit(local: LocalSlack, user: User, view: View, answers: Mapping[str, Any]) -> Outcome:
    """Fill in and submit the modal on top; `answers` is {block_id: answer} or {block_id: {action_id: answer}}."""
    stack = local.workspace.modals.get(user.id, [])
    if not stack or stack[-1] is not view:
        raise NotPossible("only the modal on top can be submitted")
    if "submit" not in view.body:
        raise NotPossible("this modal has no submit button")
    _fill(view, answers)
    errors = refusals(view.body["blocks"], view.values)
    if errors:
        return Outcome(True, errors=errors)
    payload = _interaction(local, user, "view_submission") | {
        "view": view_json(local.workspace, view),
        "response_urls": [],
    }
    delivery = await _deliver(local, payload, f"submit {view.body.get('callback_id', '')}")
    if not delivery.acked:
        return Outcome(False, TROUBLE)
    return _after_submission(local, user, view, delivery.payload or {})


async def close(local: LocalSlack, user: User, view: View, *, everything: bool = False) -> Outcome:
    """Close a modal, or the whole stack; the app hears of it only with notify_on_close."""
    stack = local.workspace.modals.get(user.id, [])
    if view not in stack:
        raise NotPossible("this modal is not open")
    everything = everything or bool(view.body.get("clear_on_close"))
    payload = _interaction(local, user, "view_closed") | {
        "view": view_json(local.workspace, view),
        "is_cleared": everything,
    }
    del payload["trigger_id"]
    if everything:
        modals.clear(local, user.id)
    else:
        modals.pop(local, view)
    if not view.body.get("notify_on_close"):
        return Outcome(True)
    delivery = await _deliver(local, payload, f"close {view.body.get('callback_id', '')}")
    return Outcome(delivery.acked)


async def shortcut(local: LocalSlack, user: User, callback_id: str, message: Message | None) -> Outcome:
    """Choose an entry of the shortcuts menu, on a message or anywhere."""
    kind = "global" if message is None else "message"
    if not any(entry.callback_id == callback_id and entry.kind == kind for entry in local.app.shortcuts):
        raise NotPossible(f"the manifest has no {kind} shortcut {callback_id!r}")
    payload = _interaction(local, user, "shortcut" if message is None else "message_action") | {
        "callback_id": callback_id,
        "action_ts": local.workspace.new_ts(),
    }
    if message is not None:
        channel = local.workspace.channels[message.channel]
        key = local.response_urls.give(user.id, channel.id, message.ts)
        payload |= {
            "channel": {"id": channel.id, "name": channel.name},
            "message_ts": message.ts,
            "message": message_json(local.workspace, message),
            "response_url": f"{local.url}/actions/{key}",
        }
    return await _interact(local, payload, f"shortcut {callback_id}")


async def open_home(local: LocalSlack, user: User) -> Outcome:
    """Open the app's Home tab, which the app hears as app_home_opened."""
    channel = local.workspace.open_im(user.id)
    event: dict[str, Any] = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": channel.id,
        "tab": "home",
        "event_ts": local.workspace.new_ts(),
    }
    home = local.workspace.homes.get(user.id)
    if home is not None:
        event["view"] = view_json(local.workspace, home)
    local.emit(event)
    return Outcome(True)


async def react(local: LocalSlack, user: User, message: Message, name: str, *, remove: bool = False) -> Outcome:
    """Put a reaction below a message, or take it back."""
    (reacting.unreact if remove else reacting.react)(local, message, user.id, name)
    return Outcome(True)


def with_mentions(local: LocalSlack, typed: str, *, escape: bool = True, labels: bool = False) -> str:
    """What Slack's client sends for typed text: & < > escaped, known @names and #channels as ids."""
    if escape:
        typed = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    users = {user.name: user for user in local.workspace.users.values() if not user.deleted}
    groups = {handle: group for group, (handle, _, _) in local.workspace.usergroups.items()}
    channels = {channel.name: channel for channel in local.workspace.channels.values() if channel.name}

    def mention(match: re.Match[str]) -> str:
        sigil, name = match[1], match[2]
        if sigil == "#" and name in channels:
            return f"<#{channels[name].id}|{name if labels else ''}>"
        if sigil == "@" and name in users:
            return f"<@{users[name].id}|{name}>" if labels else f"<@{users[name].id}>"
        if sigil == "@" and name in groups:
            return f"<!subteam^{groups[name]}|@{name}>" if labels else f"<!subteam^{groups[name]}>"
        return match[0]

    return re.sub(r"(?<!\w)([@#])([a-z0-9_-]+)", mention, typed)


def _element(
    versions: Sequence[Sequence[Mapping[str, Any]]], action_id: str, block_id: str | None
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    for blocks in versions:
        found = [
            (block, element)
            for block in blocks
            for element in elements_of(block)
            if element.get("action_id") == action_id and block_id in (None, block["block_id"])
        ]
        if len(found) > 1:
            raise NotPossible(f"several elements have the action_id {action_id!r}: give block_id too")
        if found:
            return found[0]
    raise NotPossible(f"there is no element {action_id!r} here now; `stale` reaches into older versions of a message")


def _action(
    local: LocalSlack,
    user: User,
    block: Mapping[str, Any],
    element: Mapping[str, Any],
    answer: Any,
    values: Values,
    confirmed: bool,
) -> dict[str, Any]:
    if not local.app.interactive:
        raise NotPossible("This app is not configured to handle interactive responses.")
    if user.id not in element.get("visible_to_user_ids", (user.id,)):
        raise NotPossible(f"{user.real_name} does not see this button (visible_to_user_ids)")
    if "confirm" in element and not confirmed:
        raise NotPossible(
            f"this element asks first: {element['confirm']['text']['text']!r}; send confirm: true to accept"
        )
    kind = element["type"]
    action: dict[str, Any] = {
        "type": kind,
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "action_ts": local.workspace.new_ts(),
    }
    if kind == "button":
        return action | {key: element[key] for key in ("text", "value", "style", "url") if key in element}
    try:
        if kind == "overflow":
            return action | {"selected_option": find_option(element, answer)}
        held = answered(element, answer)
    except BadAnswer as bad:
        raise NotPossible(str(bad)) from bad
    values.setdefault(block["block_id"], {})[element["action_id"]] = held
    return action | held


def _fill(view: View, answers: Mapping[str, Any]) -> None:
    inputs = {block["block_id"]: elements_of(block) for block in view.body["blocks"]}
    for block_id, given in answers.items():
        elements = {element.get("action_id"): element for element in inputs.get(block_id, ())}
        if not elements:
            raise NotPossible(f"this modal has no input with the block_id {block_id!r}")
        by_action = given if isinstance(given, Mapping) else {next(iter(elements)): given}
        for action_id, answer in by_action.items():
            if action_id not in elements:
                raise NotPossible(f"the block {block_id!r} has no element {action_id!r}")
            try:
                view.values.setdefault(block_id, {})[action_id] = answered(elements[action_id], answer)
            except BadAnswer as bad:
                raise NotPossible(f"{block_id}: {bad}") from bad


def _after_submission(local: LocalSlack, user: User, view: View, payload: Mapping[str, Any]) -> Outcome:
    action = payload.get("response_action")
    try:
        match action:
            case None if not payload:
                modals.pop(local, view)
            case "clear":
                modals.clear(local, user.id)
            case "errors":
                return Outcome(True, errors=_field_errors(view, payload.get("errors")))
            case "update":
                modals.update(local, view, modals.read_view(local, payload.get("view"), "modal", of=view))
            case "push":
                modals.push(local, user.id, modals.read_view(local, payload.get("view"), "modal"))
            case _:
                raise SlackError("invalid_arguments", [f"response_action {action!r} is unknown"])
    except SlackError as refused:
        local.log.add("ack", f"view_submission answer refused: {refused.error}", level="error", answer=refused.answer)
        return Outcome(False, TROUBLE)
    return Outcome(True)


def _field_errors(view: View, errors: Any) -> dict[str, str]:
    inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise SlackError("invalid_arguments", ["errors must be an object of block_id and text"])
    unknown = [key for key, text in errors.items() if key not in inputs or not isinstance(text, str)]
    if unknown:
        raise SlackError("invalid_arguments", [f"errors names no input block: {key}" for key in unknown])
    return dict(errors)


def _interaction(local: LocalSlack, user: User, kind: str) -> dict[str, Any]:
    return {
        "type": kind,
        "team": dict(team_json(user.team_id)),
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": APP,
        "token": "local",
        "trigger_id": local.triggers.give(user.id),
        **_NO_ENTERPRISE,
    }


async def _deliver(local: LocalSlack, payload: Mapping[str, Any], title: str) -> Delivery:
    if not local.app.interactive:
        raise NotPossible("This app is not configured to handle interactive responses.")
    return await local.socket.deliver("interactive", payload, title=title)


async def _interact(local: LocalSlack, payload: Mapping[str, Any], title: str) -> Outcome:
    delivery = await _deliver(local, payload, title)
    if delivery.payload:
        local.log.add("ack", f"{title}: the answer's payload is ignored for a {payload['type']}", level="warning")
    if delivery.acked:
        return Outcome(True)
    return Outcome(
        False, "⚠ This action did not go through." if delivery.reason == "timeout" else "⚠ The app is not connected."
    )
