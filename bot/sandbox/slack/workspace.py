"""The content of the local workspace: its people, channels, messages, views and files, all in memory.

Only plain state and its own rules (who sees what, unique timestamps); nothing here knows HTTP or sockets.
"""

import random
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.blocks import copy_of
from bot.sandbox.slack.inputs import Values

TEAM = "T0SHOP"
OTHER_TEAM = "T0OTHER"
APP = "A0SIGNOFF"
BOT_USER = "U0SIGNOFF"
BOT = "B0SIGNOFF"
INCIDENTS, DEPLOYS, GENERAL, PARTNERS = "C0INCIDENTS", "C0DEPLOYS", "C0GENERAL", "C0PARTNERS"
TEAM_NAMES = {TEAM: ("Shop", "shop"), OTHER_TEAM: ("Other Org", "other-org")}


@dataclass
class User:
    """A person or bot. Guests are `is_restricted`, people of another workspace `is_stranger`."""

    id: str
    name: str
    real_name: str
    title: str
    team_id: str = TEAM
    is_admin: bool = False
    is_restricted: bool = False
    is_stranger: bool = False
    is_bot: bool = False
    deleted: bool = False

    @property
    def email(self) -> str:
        """The address that users.info shows to an app with users:read.email."""
        return f"{self.name}@{TEAM_NAMES[self.team_id][1]}.example"


@dataclass
class Message:
    """One message; `ephemeral_to` names the only person who sees it, `earlier` keeps the blocks of older versions."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[dict[str, Any]]
    thread_ts: str | None = None
    subtype: str | None = None
    metadata: dict[str, Any] | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    edited: dict[str, str] | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    ephemeral_to: str | None = None
    earlier: list[list[dict[str, Any]]] = field(default_factory=list)
    values: dict[str, Values] = field(default_factory=dict)
    version: int = 0

    @property
    def is_reply(self) -> bool:
        """Whether the message belongs below another one."""
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass
class Channel:
    """A conversation. A direct one (`is_im`) has the person it is with in `im_user`."""

    id: str
    name: str
    members: set[str]
    topic: str = ""
    is_private: bool = False
    is_im: bool = False
    im_user: str = ""
    is_archived: bool = False
    shared_with: set[str] = field(default_factory=set)
    messages: dict[str, Message] = field(default_factory=dict)
    ephemerals: dict[str, Message] = field(default_factory=dict)

    def replies(self, parent: str) -> list[Message]:
        """The replies below a message, oldest first."""
        return [m for m in self.messages.values() if m.is_reply and m.thread_ts == parent]


@dataclass
class View:
    """A modal or Home tab that someone has open; `body` is what the app sent, with ids filled in."""

    id: str
    user: str
    body: dict[str, Any]
    hash: str
    values: Values
    root: str
    previous: str | None = None
    updates: int = 0


@dataclass
class File:
    """An upload: announced with its length, then filled, then shared into a channel."""

    id: str
    name: str
    length: int
    content: bytes | None = None
    title: str = ""
    shared_in: set[str] = field(default_factory=set)


@dataclass
class Workspace:
    """All state of one workspace. Time and randomness come from outside, so a test can fix both."""

    users: dict[str, User]
    channels: dict[str, Channel]
    usergroups: dict[str, tuple[str, str, list[str]]]
    clock: Callable[[], float]
    rng: random.Random
    modals: dict[str, list[View]] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    pushes: list[dict[str, Any]] = field(default_factory=list)
    _last_micros: int = 0
    _serial: int = 0

    def new_ts(self) -> str:
        """A message timestamp: seconds with six digits, above every earlier one."""
        self._last_micros = max(int(self.clock() * 1_000_000), self._last_micros + 1)
        return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"

    def new_id(self, prefix: str) -> str:
        """An id that this workspace has not given before."""
        self._serial += 1
        return f"{prefix}0{self._serial:04d}{self.short_id().upper()}"

    def short_id(self) -> str:
        """Five random characters, as Slack fills in for a missing block_id."""
        return "".join(self.rng.choices(string.ascii_letters + string.digits, k=5))

    def channel_named(self, reference: str) -> Channel | None:
        """The channel with this id, `#name`, or the direct one with this user's id when it is open."""
        if reference in self.channels:
            return self.channels[reference]
        name = reference.removeprefix("#")
        for channel in self.channels.values():
            if channel.name == name and not channel.is_im:
                return channel
            if channel.is_im and channel.im_user == reference:
                return channel
        return None

    def open_im(self, user: str) -> Channel:
        """The direct conversation of the bot with this person, opened when there is none."""
        existing = self.channel_named(user)
        if existing:
            return existing
        channel = Channel(self.new_id("D"), "", {user, BOT_USER}, is_im=True, is_private=True, im_user=user)
        self.channels[channel.id] = channel
        return channel

    def may_see(self, user: str, channel: Channel) -> bool:
        """Members see a channel; full members of the workspace also see every public one."""
        if user in channel.members:
            return True
        person = self.users[user]
        return not (channel.is_private or person.is_restricted or person.is_stranger)

    def view(self, view_id: str) -> View | None:
        """The open modal or published Home tab with this id."""
        for view in self._views():
            if view.id == view_id:
                return view
        return None

    def view_with_external_id(self, external_id: str) -> View | None:
        """The open view that the app gave this external_id."""
        for view in self._views():
            if external_id and view.body.get("external_id") == external_id:
                return view
        return None

    def _views(self) -> Iterable[View]:
        for stack in self.modals.values():
            yield from stack
        yield from self.homes.values()


def shop(clock: Callable[[], float], rng: random.Random, bot_name: str = "Signoff") -> Workspace:
    """The workspace of the small shop that every story of the sandbox plays in."""
    people = [
        User("U0LEE", "lee", "Lee Moreno", "on call", is_admin=True),
        User("U0PRIYA", "priya", "Priya Nair", "on call"),
        User("U0DANA", "dana", "Dana Kessler", "developer"),
        User("U0GUEST", "gus", "Gus Ferrari", "guest", is_restricted=True),
        User("U0EXT", "olga", "Olga Brandt", "another organisation", team_id=OTHER_TEAM, is_stranger=True),
        User("U0GONE", "rex", "Rex Adler", "left the company", deleted=True),
        User(BOT_USER, bot_name.lower(), bot_name, "app", is_bot=True),
    ]
    staff = {"U0LEE", "U0PRIYA", "U0DANA"}
    channels = [
        Channel(INCIDENTS, "incidents", {*staff, "U0GUEST", BOT_USER}, "What is burning, and who has it"),
        Channel(DEPLOYS, "deploys", {*staff, BOT_USER}, "Releases and pull requests"),
        Channel(GENERAL, "general", set(staff), "Everything else"),
        Channel(PARTNERS, "partners", {"U0LEE", "U0EXT"}, "Shared with Other Org", shared_with={OTHER_TEAM}),
    ]
    return Workspace(
        users={user.id: user for user in people},
        channels={channel.id: channel for channel in channels},
        usergroups={
            "S0ONCALL": ("oncall", "On call", ["U0LEE", "U0PRIYA"]),
            "S0PLATFORM": ("platform", "Platform", ["U0PRIYA", "U0DANA"]),
        },
        clock=clock,
        rng=rng,
    )


def message_json(workspace: Workspace, message: Message, *, metadata: bool = False) -> dict[str, Any]:
    """A message as the Web API and the payloads show it."""
    author = workspace.users[message.user]
    shown: dict[str, Any] = {
        "user": message.user,
        "type": "message",
        "ts": message.ts,
        "text": message.text,
        "team": author.team_id,
    }
    if author.is_bot:
        shown |= {
            "bot_id": BOT,
            "app_id": APP,
            "bot_profile": {
                "id": BOT,
                "app_id": APP,
                "name": author.real_name,
                "deleted": False,
                "updated": 0,
                "team_id": TEAM,
            },
        }
    if message.blocks:
        shown["blocks"] = copy_of(message.blocks)
    if message.thread_ts:
        shown["thread_ts"] = message.thread_ts
        if message.is_reply:
            parent = workspace.channels[message.channel].messages.get(message.thread_ts)
            shown["parent_user_id"] = parent.user if parent else ""
    replies = [] if message.is_reply else workspace.channels[message.channel].replies(message.ts)
    if replies:
        people = list(dict.fromkeys(reply.user for reply in replies))
        shown |= {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users_count": len(people),
            "reply_users": people,
            "latest_reply": replies[-1].ts,
        }
    if message.subtype:
        shown["subtype"] = message.subtype
    if message.edited:
        shown["edited"] = dict(message.edited)
    if message.files:
        shown["files"] = [dict(file) for file in message.files]
    if message.reactions:
        shown["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)} for name, users in message.reactions.items()
        ]
    if metadata and message.metadata:
        shown["metadata"] = dict(message.metadata)
    if message.ephemeral_to:
        shown["is_ephemeral"] = True
    return shown


def view_json(workspace: Workspace, view: View) -> dict[str, Any]:
    """A view as the Web API and the payloads show it."""
    body = view.body
    shown: dict[str, Any] = {
        "id": view.id,
        "team_id": TEAM,
        "type": body["type"],
        "blocks": copy_of(body["blocks"]),
        "private_metadata": body.get("private_metadata", ""),
        "callback_id": body.get("callback_id", ""),
        "state": {"values": view.values},
        "hash": view.hash,
        "clear_on_close": body.get("clear_on_close", False),
        "notify_on_close": body.get("notify_on_close", False),
        "title": body.get("title", {"type": "plain_text", "text": "View Title", "emoji": True}),
        "close": body.get("close"),
        "submit": body.get("submit"),
        "previous_view_id": view.previous,
        "root_view_id": view.root,
        "app_id": APP,
        "external_id": body.get("external_id", ""),
        "app_installed_team_id": TEAM,
        "bot_id": BOT,
    }
    return shown


def user_json(user: User, *, with_email: bool) -> dict[str, Any]:
    """A person as users.info shows them; the address only to an app that may read it."""
    profile: dict[str, Any] = {
        "real_name": user.real_name,
        "display_name": user.name,
        "title": user.title,
        "team": user.team_id,
    }
    if with_email and not user.is_bot and not user.is_stranger:
        profile["email"] = user.email
    shown: dict[str, Any] = {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "profile": profile,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 0,
    }
    if not user.deleted:
        shown |= {
            "real_name": user.real_name,
            "tz": "Etc/UTC",
            "tz_label": "Coordinated Universal Time",
            "tz_offset": 0,
            "is_admin": user.is_admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": user.is_restricted,
            "is_ultra_restricted": False,
        }
    if user.is_stranger:
        shown["is_stranger"] = True
    return shown


def channel_json(channel: Channel) -> dict[str, Any]:
    """A conversation as conversations.info shows it to the bot."""
    shown: dict[str, Any] = {
        "id": channel.id,
        "created": 0,
        "is_archived": channel.is_archived,
        "is_channel": not channel.is_im and not channel.is_private,
        "is_group": not channel.is_im and channel.is_private,
        "is_im": channel.is_im,
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_shared": bool(channel.shared_with),
        "is_ext_shared": bool(channel.shared_with),
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "context_team_id": TEAM,
        "shared_team_ids": [TEAM, *sorted(channel.shared_with)],
    }
    if channel.is_im:
        return shown | {"user": channel.im_user}
    return shown | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_general": channel.id == GENERAL,
        "is_member": BOT_USER in channel.members,
        "creator": "U0LEE",
        "num_members": len(channel.members),
        "topic": {"value": channel.topic, "creator": "U0LEE", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def team_json(team: str) -> Mapping[str, str]:
    """The `team` of an interaction payload."""
    return {"id": team, "domain": TEAM_NAMES[team][1]}
