"""The chat.* methods: post, edit, delete and link to messages."""

from typing import Any

from bot.sandbox.slack import posting
from bot.sandbox.slack.local import LocalSlack, SlackError
from bot.sandbox.slack.webapi import access
from bot.sandbox.slack.webapi.methods import Method, flag, structure, text
from bot.sandbox.slack.workspace import BOT_USER, Channel, Message, message_json

Args = dict[str, Any]
_UNPLAYED = frozenset({"attachments", "markdown_text", "as_user", "username", "icon_emoji", "icon_url", "draft_id"})
_CONTENT = {"text": text, "blocks": structure, "link_names": flag, "parse": text}


def _writable(local: LocalSlack, reference: str) -> Channel:
    if reference in local.workspace.users:
        person = local.workspace.users[reference]
        if person.deleted or person.is_bot:
            raise SlackError("channel_not_found")
        return local.workspace.open_im(reference)
    channel = access.known_channel(local, reference)
    if channel.is_archived:
        raise SlackError("is_archived")
    if BOT_USER not in channel.members and "chat:write.public" not in local.app.scopes:
        raise SlackError("not_in_channel")
    return channel


def _own(channel: Channel, ts: str, refusal: str) -> Message:
    message = access.known_message(channel, ts)
    if message.user != BOT_USER:
        raise SlackError(refusal)
    return message


def post_message(local: LocalSlack, args: Args) -> Args:
    """chat.postMessage."""
    channel = _writable(local, args["channel"])
    content = posting.read_content(local, args)
    metadata = posting.read_metadata(args.get("metadata"))
    posting.check_thread(channel, args.get("thread_ts"))
    message = posting.post(
        local,
        channel,
        BOT_USER,
        content,
        thread_ts=args.get("thread_ts"),
        broadcast=args.get("reply_broadcast", False),
        metadata=metadata,
    )
    return {
        "ok": True,
        "channel": channel.id,
        "ts": message.ts,
        "message": message_json(local.workspace, message, metadata=True),
    }


def update(local: LocalSlack, args: Args) -> Args:
    """chat.update: text alone removes the blocks, blocks alone keep the text; only text shows as edited."""
    channel = access.known_channel(local, args["channel"])
    message = _own(channel, args["ts"], "cant_update_message")
    if channel.is_archived:
        raise SlackError("is_inactive")
    if args.get("blocks") == [] and "text" not in args:
        args = args | {"text": message.text}
    given = "metadata" in args and not ("text" in args or "blocks" in args)
    content = posting.read_content(
        local, args | ({"text": message.text} if given else {}), longest=posting.LONGEST_UPDATE
    )
    if "metadata" in args:
        message.metadata = posting.read_metadata(args["metadata"])
    if not given:
        keeps_blocks = "blocks" not in args and "text" not in args
        posting.replace(local, message, args.get("text"), None if keeps_blocks else content.blocks)
        if not content.blocks:
            message.edited = {"user": BOT_USER, "ts": local.workspace.new_ts()}
    if BOT_USER in channel.members:
        kind = "im" if channel.is_im else "groups" if channel.is_private else "channels"
        local.emit(
            {
                "type": "message",
                "subtype": "message_changed",
                "channel": channel.id,
                "channel_type": "im" if channel.is_im else kind.removesuffix("s"),
                "ts": local.workspace.new_ts(),
                "event_ts": message.ts,
                "message": message_json(local.workspace, message),
            },
            f"message.{kind}",
        )
    return {
        "ok": True,
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": message_json(local.workspace, message, metadata=True),
    }


def post_ephemeral(local: LocalSlack, args: Args) -> Args:
    """chat.postEphemeral."""
    channel = _writable(local, args["channel"])
    if args["user"] not in channel.members or local.workspace.users[args["user"]].is_bot:
        raise SlackError("user_not_in_channel")
    content = posting.read_content(local, args, longest=posting.LONGEST_POST)
    posting.check_thread(channel, args.get("thread_ts"))
    message = posting.post_ephemeral(local, channel, args["user"], content, args.get("thread_ts"))
    return {"ok": True, "message_ts": message.ts}


def delete(local: LocalSlack, args: Args) -> Args:
    """chat.delete."""
    channel = access.known_channel(local, args["channel"])
    message = _own(channel, args["ts"], "cant_delete_message")
    del channel.messages[message.ts]
    local.bell.ring()
    return {"ok": True, "channel": channel.id, "ts": message.ts}


def get_permalink(local: LocalSlack, args: Args) -> Args:
    """chat.getPermalink."""
    channel = access.known_channel(local, args["channel"])
    message = access.known_message(channel, args["message_ts"])
    link = f"{local.url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"ok": True, "channel": channel.id, "permalink": link}


METHODS = {
    "chat.postMessage": Method(
        post_message,
        "posting",
        ("chat:write",),
        {"channel": text},
        {
            **_CONTENT,
            "thread_ts": text,
            "reply_broadcast": flag,
            "unfurl_links": flag,
            "unfurl_media": flag,
            "mrkdwn": flag,
            "metadata": structure,
        },
        _UNPLAYED,
    ),
    "chat.update": Method(
        update,
        "t3",
        ("chat:write",),
        {"channel": text, "ts": text},
        {
            **_CONTENT,
            "metadata": structure,
            "reply_broadcast": flag,
            "unfurl_links": flag,
            "unfurl_media": flag,
        },
        _UNPLAYED | {"file_ids"},
    ),
    "chat.postEphemeral": Method(
        post_ephemeral,
        "t4",
        ("chat:write",),
        {"channel": text, "user": text},
        {**_CONTENT, "thread_ts": text},
        _UNPLAYED,
    ),
    "chat.delete": Method(delete, "t3", ("chat:write",), {"channel": text, "ts": text}),
    "chat.getPermalink": Method(get_permalink, "special", (), {"channel": text, "message_ts": text}),
}
