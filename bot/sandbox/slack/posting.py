"""Putting a message into a channel: what every way of posting shares, from chat.postMessage to a response URL.

Sources: chat.postMessage, chat.update and chat.postEphemeral references; docs "Message metadata" (event_type,
event_payload).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.blocks import MESSAGE_TEXT, copy_of, problems_of_blocks, text_in_blocks, with_ids
from bot.sandbox.slack.inputs import merged
from bot.sandbox.slack.local import LocalSlack, SlackError
from bot.sandbox.slack.workspace import BOT_USER, Channel, Message, message_json

LONGEST_POST = 40_000  # longer text is cut, says the chat.postMessage reference
LONGEST_UPDATE = 4_000
_METADATA_BYTES = 16_000  # Slack gives no number in public; far above what an id and a version need


@dataclass(frozen=True)
class Content:
    """Validated text and blocks of a message."""

    text: str
    blocks: list[dict[str, Any]]


def read_content(
    local: LocalSlack, args: Mapping[str, Any], *, longest: int | None = None, bound_blocks: bool = True
) -> Content:
    """Validate text and blocks as Slack does; raises SlackError with the reasons.

    `longest` refuses longer text with msg_too_long instead of cutting it; `bound_blocks` applies the limit on the
    sum of all texts, which response URLs are free of.
    """
    text = args.get("text") or ""
    if longest is not None and len(text) > longest:
        raise SlackError("msg_too_long")
    blocks = args.get("blocks") or []
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    problems = [str(problem) for problem in problems_of_blocks(blocks, "message")]
    if problems:
        raise SlackError("invalid_blocks", problems, errors=problems)
    if bound_blocks and text_in_blocks(blocks) > MESSAGE_TEXT:
        raise SlackError("msg_blocks_too_long")
    if not text and not blocks:
        raise SlackError("no_text")
    if not text:
        local.log.add(
            "api",
            "a message has blocks and no text: notifications and screen readers get nothing",
            level="warning",
        )
    return Content(text[:LONGEST_POST], with_ids(blocks, local.workspace.short_id))


def read_metadata(metadata: Any) -> dict[str, Any] | None:
    """Validate message metadata; {} removes it."""
    if metadata is None or metadata == {}:
        return None
    if (
        not isinstance(metadata, dict)
        or set(metadata) != {"event_type", "event_payload"}
        or not isinstance(metadata["event_type"], str)
        or not re.fullmatch(r"[A-Za-z0-9_.-]{1,255}", metadata["event_type"])
        or not isinstance(metadata["event_payload"], dict)
    ):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata)) > _METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return dict(metadata)


def check_thread(channel: Channel, thread_ts: str | None) -> None:
    """Refuse a thread_ts that is no parent in this channel."""
    if thread_ts is None:
        return
    if not re.fullmatch(r"\d{10}\.\d{6}", thread_ts):
        raise SlackError("invalid_thread_ts")
    parent = channel.messages.get(thread_ts)
    if parent is None or parent.is_reply:
        raise SlackError("cannot_reply_to_message")


def post(
    local: LocalSlack,
    channel: Channel,
    user: str,
    content: Content,
    *,
    thread_ts: str | None = None,
    broadcast: bool = False,
    metadata: dict[str, Any] | None = None,
    files: list[dict[str, Any]] | None = None,
) -> Message:
    """Put a message where everyone in the channel sees it: it notifies, and subscribed apps get its event."""
    message = Message(
        ts=local.workspace.new_ts(),
        channel=channel.id,
        user=user,
        text=content.text,
        blocks=copy_of(content.blocks),
        thread_ts=thread_ts,
        subtype="thread_broadcast" if thread_ts and broadcast else "file_share" if files else None,
        metadata=metadata,
        files=files or [],
    )
    channel.messages[message.ts] = message
    if user == BOT_USER:
        shown = content.text or (f"uploaded a file: {files[0]['title']}" if files else "")
        push = {"at": local.clock(), "channel": channel.id, "ts": message.ts, "text": shown}
        local.workspace.pushes.append(push)
        del local.workspace.pushes[:-500]
    kind = "im" if channel.is_im else "group" if channel.is_private else "channel"
    if BOT_USER in channel.members:
        event = message_json(local.workspace, message) | {
            "channel": channel.id,
            "channel_type": kind,
            "event_ts": message.ts,
        }
        local.emit(event, f"message.{'im' if channel.is_im else kind + 's'}")
    local.bell.ring()
    return message


def post_ephemeral(
    local: LocalSlack, channel: Channel, to: str, content: Content, thread_ts: str | None = None
) -> Message:
    """Show a message to one person only; it cannot be updated, and it is gone after a reload in real Slack."""
    message = Message(
        ts=local.workspace.new_ts(),
        channel=channel.id,
        user=BOT_USER,
        text=content.text,
        blocks=copy_of(content.blocks),
        thread_ts=thread_ts,
        ephemeral_to=to,
    )
    channel.ephemerals[message.ts] = message
    while len(channel.ephemerals) > 200:
        channel.ephemerals.pop(next(iter(channel.ephemerals)))
    local.bell.ring()
    return message


def replace(local: LocalSlack, message: Message, text: str | None, blocks: list[dict[str, Any]] | None) -> None:
    """Edit a message in place: nobody is notified. None keeps what was there."""
    if blocks is not None:
        if message.blocks:
            message.earlier.append(message.blocks)
            del message.earlier[:-10]
        message.blocks = copy_of(blocks)
        message.values = {user: merged(blocks, values) for user, values in message.values.items()}
    if text is not None:
        message.text = text
    message.version += 1
    local.bell.ring()
