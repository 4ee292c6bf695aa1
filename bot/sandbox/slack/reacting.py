"""Reactions below a message, by people and by the bot."""

import re

from bot.sandbox.slack.local import LocalSlack, SlackError
from bot.sandbox.slack.workspace import Message

_MOST_NAMES = 23  # of different emoji by one person, as the reactions.add reference's too_many_reactions has it


def react(local: LocalSlack, message: Message, user: str, name: str) -> None:
    """Add a reaction and tell the app; raises SlackError with the names of reactions.add."""
    if not re.fullmatch(r"[a-z0-9_+'-]{1,100}", name):
        raise SlackError("invalid_name")
    if user in message.reactions.get(name, ()):
        raise SlackError("already_reacted")
    if sum(user in users for users in message.reactions.values()) >= _MOST_NAMES:
        raise SlackError("too_many_reactions")
    message.reactions.setdefault(name, []).append(user)
    _tell(local, "reaction_added", message, user, name)


def unreact(local: LocalSlack, message: Message, user: str, name: str) -> None:
    """Take a reaction back and tell the app; raises SlackError no_reaction."""
    if user not in message.reactions.get(name, ()):
        raise SlackError("no_reaction")
    message.reactions[name].remove(user)
    if not message.reactions[name]:
        del message.reactions[name]
    _tell(local, "reaction_removed", message, user, name)


def _tell(local: LocalSlack, event: str, message: Message, user: str, name: str) -> None:
    message.version += 1
    local.bell.ring()
    local.emit(
        {
            "type": event,
            "user": user,
            "reaction": name,
            "item": {"type": "message", "channel": message.channel, "ts": message.ts},
            "item_user": message.user,
            "event_ts": local.workspace.new_ts(),
        }
    )
