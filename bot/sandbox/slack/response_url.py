"""The URL that comes with a command or click: the app answers there without a token, a few times.

Sources: docs "Handling user interaction" (response_url: ephemeral unless in_channel, replace_original,
delete_original); bolt-js issue 1261 (404 when spent), issue 2867 (the limit on the sum of texts does not apply).
Slack does not document the status of a refused payload: 400 is what its incoming webhooks answer.
"""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.slack import posting
from bot.sandbox.slack.local import LocalSlack, SlackError
from bot.sandbox.slack.tickets import ResponseTarget
from bot.sandbox.slack.workspace import BOT_USER, Message

_TYPES: Mapping[str, type] = {
    "text": str,
    "blocks": list,
    "response_type": str,
    "replace_original": bool,
    "delete_original": bool,
    "thread_ts": str,
    "unfurl_links": bool,
    "unfurl_media": bool,
    "metadata": dict,
}


async def answer(local: LocalSlack, request: web.Request) -> web.Response:
    """Take one answer of the app; the body is "ok", or a 404 with `used_url` or `expired_url`."""
    target, error = local.response_urls.find(request.match_info["key"])
    if target is None:
        local.log.add("api", f"response_url: {error}", level="error", ok=False, error=error)
        return web.json_response({"ok": False, "error": error}, status=404)
    try:
        body = json.loads(await request.read())
        if not isinstance(body, dict):
            raise SlackError("invalid_payload")
        with local.as_app():
            respond(local, target, body)
    except (ValueError, RecursionError):
        return _refusal(local, SlackError("invalid_payload"))
    except SlackError as refused:
        return _refusal(local, refused)
    target.uses += 1
    local.log.add("api", f"response_url (use {target.uses})", ok=True)
    return web.Response(text="ok")


def respond(local: LocalSlack, target: ResponseTarget, body: Mapping[str, Any]) -> Message | None:
    """Carry out one answer: a new message, or an edit or removal of the one that was clicked."""
    wrong = [key for key in body if key not in _TYPES]
    wrong += [key for key, kind in _TYPES.items() if body.get(key) is not None and not isinstance(body[key], kind)]
    if wrong:
        raise SlackError("invalid_payload", [f"unknown or wrongly typed: {key}" for key in wrong])
    channel = local.workspace.channels[target.channel]
    original = _original(local, target)
    if body.get("delete_original"):
        if original is not None:
            channel.messages.pop(original.ts, None)
            channel.ephemerals.pop(original.ts, None)
            local.bell.ring()
        return None
    content = posting.read_content(local, body, bound_blocks=False)
    if body.get("replace_original") and original is not None:
        posting.replace(local, original, content.text, content.blocks)
        return original
    thread_ts = body.get("thread_ts")
    posting.check_thread(channel, thread_ts)
    kind = body.get("response_type", "ephemeral")
    if kind == "in_channel":
        return posting.post(
            local,
            channel,
            BOT_USER,
            content,
            thread_ts=thread_ts,
            metadata=posting.read_metadata(body.get("metadata")),
        )
    if kind != "ephemeral":
        raise SlackError("invalid_payload", ["response_type must be ephemeral or in_channel"])
    if thread_ts is None and original is not None and original.is_reply:
        thread_ts = original.thread_ts
    return posting.post_ephemeral(local, channel, target.user, content, thread_ts)


def _original(local: LocalSlack, target: ResponseTarget) -> Message | None:
    if target.message_ts is None:
        return None
    channel = local.workspace.channels[target.channel]
    found = channel.messages.get(target.message_ts) or channel.ephemerals.get(target.message_ts)
    return found if found is not None and found.user == BOT_USER else None


def _refusal(local: LocalSlack, refused: SlackError) -> web.Response:
    local.log.add(
        "api", f"response_url: {refused.error}", level="error", ok=False, error=refused.error, answer=refused.answer
    )
    return web.json_response(refused.answer, status=400)
