"""What the bot may reach: channels it knows, is a member of, and may read."""

from bot.sandbox.slack.local import LocalSlack, SlackError
from bot.sandbox.slack.workspace import BOT_USER, Channel, Message, User


def known_channel(local: LocalSlack, reference: str) -> Channel:
    """The channel, or channel_not_found; private ones exist only for members."""
    channel = local.workspace.channel_named(reference)
    if channel is None or (channel.is_private and BOT_USER not in channel.members):
        raise SlackError("channel_not_found")
    return channel


def joined_channel(local: LocalSlack, reference: str) -> Channel:
    """The channel when the bot is in it, else channel_not_found or not_in_channel."""
    channel = known_channel(local, reference)
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def known_message(channel: Channel, ts: str) -> Message:
    """The message everyone sees, or message_not_found; an ephemeral one cannot be addressed."""
    message = channel.messages.get(ts)
    if message is None:
        raise SlackError("message_not_found")
    return message


def known_user(local: LocalSlack, user: str) -> User:
    """The person, or user_not_found."""
    person = local.workspace.users.get(user)
    if person is None:
        raise SlackError("user_not_found")
    return person


def require_scope(local: LocalSlack, *any_of: str) -> None:
    """Refuse with missing_scope unless the manifest grants one of these."""
    if not local.app.scopes.intersection(any_of):
        raise SlackError("missing_scope", needed=any_of[0], provided=",".join(sorted(local.app.scopes)))


def family_scope(local: LocalSlack, channel: Channel, family: str) -> None:
    """Require channels:, groups: or im: with this ending, by the kind of the channel."""
    prefix = "im" if channel.is_im else "groups" if channel.is_private else "channels"
    require_scope(local, f"{prefix}:{family}")
