"""The conversations.* methods: which channels there are, who is in them, and what was said."""

from typing import Any

from bot.sandbox.slack.local import LocalSlack, SlackError
from bot.sandbox.slack.webapi import access
from bot.sandbox.slack.webapi.methods import Method, flag, names, number, text
from bot.sandbox.slack.webapi.paging import page_of
from bot.sandbox.slack.workspace import BOT_USER, Channel, Message, channel_json, message_json

Args = dict[str, Any]
_KINDS = {"public_channel": "channels:read", "private_channel": "groups:read", "mpim": "mpim:read", "im": "im:read"}


def _kind(channel: Channel) -> str:
    return "im" if channel.is_im else "private_channel" if channel.is_private else "public_channel"


def list_(local: LocalSlack, args: Args) -> Args:
    """conversations.list."""
    kinds = args.get("types") or ["public_channel"]
    for kind in kinds:
        if kind not in _KINDS:
            raise SlackError("invalid_types")
        access.require_scope(local, _KINDS[kind])
    channels = [
        channel
        for channel in local.workspace.channels.values()
        if _kind(channel) in kinds
        and not (channel.is_archived and args.get("exclude_archived"))
        and (not channel.is_private or BOT_USER in channel.members)
    ]
    piece, following = page_of(channels, args, default=100, most=999)
    return {
        "ok": True,
        "channels": [channel_json(channel) for channel in piece],
        "response_metadata": {"next_cursor": following},
    }


def info(local: LocalSlack, args: Args) -> Args:
    """conversations.info."""
    channel = access.known_channel(local, args["channel"])
    access.family_scope(local, channel, "read")
    shown = channel_json(channel)
    if not args.get("include_num_members"):
        shown.pop("num_members", None)
    return {"ok": True, "channel": shown}


def members(local: LocalSlack, args: Args) -> Args:
    """conversations.members."""
    channel = access.known_channel(local, args["channel"])
    access.family_scope(local, channel, "read")
    piece, following = page_of(sorted(channel.members), args, default=100, most=1000)
    return {"ok": True, "members": piece, "response_metadata": {"next_cursor": following}}


def history(local: LocalSlack, args: Args) -> Args:
    """conversations.history: newest first, replies only when they were broadcast."""
    channel = access.joined_channel(local, args["channel"])
    access.family_scope(local, channel, "history")
    top = [m for m in channel.messages.values() if not m.is_reply or m.subtype == "thread_broadcast"]
    return _messages(local, sorted(_between(top, args), key=lambda m: m.ts, reverse=True), args, 999)


def replies(local: LocalSlack, args: Args) -> Args:
    """conversations.replies: the parent, then its replies, oldest first."""
    channel = access.joined_channel(local, args["channel"])
    access.family_scope(local, channel, "history")
    parent = channel.messages.get(args["ts"])
    if parent is None:
        raise SlackError("thread_not_found")
    if parent.is_reply:
        return _messages(local, [parent], args, 1000)
    return _messages(local, [parent, *_between(channel.replies(parent.ts), args)], args, 1000)


def open_(local: LocalSlack, args: Args) -> Args:
    """conversations.open: the direct conversation with one person."""
    if "channel" in args:
        channel = access.known_channel(local, args["channel"])
        if not channel.is_im:
            raise SlackError("method_not_supported_for_channel_type")
        return {"ok": True, "no_op": True, "already_open": True, "channel": {"id": channel.id}}
    users = args.get("users") or []
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > 1:
        raise SlackError("invalid_arguments", ["this sandbox plays direct messages with one person only"])
    person = access.known_user(local, users[0])
    if person.is_bot:
        raise SlackError("cannot_dm_bot")
    if person.deleted:
        raise SlackError("user_disabled")
    known = local.workspace.channel_named(person.id) is not None
    channel = local.workspace.open_im(person.id)
    local.bell.ring()
    shown: Args = channel_json(channel) if args.get("return_im") else {"id": channel.id}
    return {"ok": True, "channel": shown} | ({"no_op": True, "already_open": True} if known else {})


def join(local: LocalSlack, args: Args) -> Args:
    """conversations.join: public channels only."""
    channel = access.known_channel(local, args["channel"])
    if channel.is_im or channel.is_private:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    already = BOT_USER in channel.members
    channel.members.add(BOT_USER)
    local.bell.ring()
    return {"ok": True, "channel": channel_json(channel)} | ({"warning": "already_in_channel"} if already else {})


def _between(messages: list[Message], args: Args) -> list[Message]:
    for key in ("oldest", "latest"):
        try:
            float(args.get(key, "0"))
        except ValueError:
            raise SlackError(f"invalid_ts_{key}") from None
    oldest, latest = float(args.get("oldest", 0)), float(args.get("latest", 0)) or float("inf")
    if args.get("inclusive"):
        return [m for m in messages if oldest <= float(m.ts) <= latest]
    return [m for m in messages if oldest < float(m.ts) < latest]


def _messages(local: LocalSlack, messages: list[Message], args: Args, most: int) -> Args:
    piece, following = page_of(messages, args, default=100, most=most)
    metadata = args.get("include_all_metadata", False)
    answer: Args = {
        "ok": True,
        "messages": [message_json(local.workspace, message, metadata=metadata) for message in piece],
        "has_more": bool(following),
    }
    if following:
        answer["response_metadata"] = {"next_cursor": following}
    return answer


_PAGED = {"cursor": text, "limit": number}
_RANGE = {**_PAGED, "oldest": text, "latest": text, "inclusive": flag, "include_all_metadata": flag}
METHODS = {
    "conversations.list": Method(list_, "t2", (), {}, {**_PAGED, "types": names, "exclude_archived": flag}),
    "conversations.info": Method(
        info, "t3", (), {"channel": text}, {"include_locale": flag, "include_num_members": flag}
    ),
    "conversations.members": Method(members, "t4", (), {"channel": text}, _PAGED),
    "conversations.history": Method(history, "t3", (), {"channel": text}, _RANGE),
    "conversations.replies": Method(replies, "t3", (), {"channel": text, "ts": text}, _RANGE),
    "conversations.open": Method(
        open_, "t3", ("im:write",), {}, {"users": names, "channel": text, "return_im": flag, "prevent_creation": flag}
    ),
    "conversations.join": Method(join, "t3", ("channels:join",), {"channel": text}),
}
