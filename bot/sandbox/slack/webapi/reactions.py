"""reactions.add and reactions.remove."""

from typing import Any

from bot.sandbox.slack import reacting
from bot.sandbox.slack.local import LocalSlack
from bot.sandbox.slack.webapi import access
from bot.sandbox.slack.webapi.methods import Method, text
from bot.sandbox.slack.workspace import BOT_USER

Args = dict[str, Any]


def add(local: LocalSlack, args: Args) -> Args:
    """reactions.add."""
    channel = access.joined_channel(local, args["channel"])
    reacting.react(local, access.known_message(channel, args["timestamp"]), BOT_USER, args["name"])
    return {"ok": True}


def remove(local: LocalSlack, args: Args) -> Args:
    """reactions.remove."""
    channel = access.joined_channel(local, args["channel"])
    reacting.unreact(local, access.known_message(channel, args["timestamp"]), BOT_USER, args["name"])
    return {"ok": True}


_WHERE = {"name": text, "channel": text, "timestamp": text}
METHODS = {
    "reactions.add": Method(add, "t3", ("reactions:write",), _WHERE),
    "reactions.remove": Method(remove, "t2", ("reactions:write",), _WHERE),
}
