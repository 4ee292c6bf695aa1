"""What Slack says of a person or a channel: the standing that a vote is judged by, and names for display."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakValueDictionary

import structlog

from bot.domain.approval import Person, Standing

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

log = structlog.get_logger("signoff.slack_directory")

T = TypeVar("T")

NAMES_KEPT_S = 300.0
_KEPT = 5_000
_NAME_LENGTH = 80
# More people than this in a user group decide nothing together; a plan holds every one of them.
GROUP_MOST = 500


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What Slack answered, and how old the answer is."""

    value: T
    age_seconds: float


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    asked_at: float
    answered_at: float
    value: T | None


@dataclass(frozen=True, slots=True)
class _User:
    """What matters of what Slack says of a person. ``homes`` are their workspace and their enterprise."""

    name: str
    homes: frozenset[str]
    is_bot: bool
    is_guest: bool
    is_deactivated: bool
    is_stranger: bool


class _Readings(Generic[T]):
    """Readings of one kind. One request a key is under way at a time, and all who wait share its answer, for Slack
    limits how often it may be asked; that it failed (None) is shared by those who waited for it, and not kept."""

    def __init__(self, ask: Callable[[str], Awaitable[T | None]], monotonic: Callable[[], float]) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._answers: dict[str, _Answer[T]] = {}
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def read(self, key: str, *, max_age: float) -> Reading[T | None]:
        """Return what was read at most ``max_age`` seconds ago: 0 asks Slack anew."""
        asked = self._monotonic()
        asking = self._asking.setdefault(key, asyncio.Lock())
        async with asking:
            kept = self._answers.get(key)
            fits = kept is not None and (
                kept.asked_at >= asked - max_age if kept.value is not None else kept.answered_at >= asked
            )
            if kept is None or not fits:
                begun = self._monotonic()
                value = await self._ask(key)
                if len(self._answers) >= _KEPT:
                    self._answers.clear()
                kept = self._answers[key] = _Answer(begun, self._monotonic(), value)
        return Reading(kept.value, max(0.0, self._monotonic() - kept.asked_at))


class SlackDirectory:
    """Reads people, groups and channels, each at most as long ago as the caller allows; names decide nothing, and may
    be minutes old."""

    def __init__(self, slack: AsyncWebClient, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._slack = slack
        self._monotonic = monotonic
        self._names: dict[str, str] = {}
        self._users = _Readings(self._ask_user, monotonic)
        self._groups = _Readings(self._ask_members, monotonic)
        self._shared = _Readings(self._ask_shared, monotonic)

    async def standing(self, person: Person, *, max_age: float) -> Reading[Standing]:
        """Read how a person stands. Whatever goes wrong, and whatever Slack does not say, makes them not known.

        ``person.team_id`` may be the workspace's or the enterprise's id; somebody of another one is foreign.
        """
        read = await self._users.read(person.user_id, max_age=max_age)
        user = read.value
        if user is None:
            return Reading(Standing(person=person, name=person.user_id, known=False), read.age_seconds)
        standing = Standing(
            person=person,
            name=user.name,
            known=True,
            is_bot=user.is_bot,
            is_guest=user.is_guest,
            is_deactivated=user.is_deactivated,
            is_foreign=user.is_stranger or person.team_id not in user.homes,
        )
        return Reading(standing, read.age_seconds)

    async def _ask_user(self, user_id: str) -> _User | None:
        try:
            user = (await self._slack.users_info(user=user_id)).get("user")
        except Exception as error:
            log.warning("slack_person_not_read", user=user_id, error=_code(error))
            return None
        if not isinstance(user, dict) or user.get("id") != user_id:
            return None
        if len(self._names) >= _KEPT:
            self._names.clear()
        self._names[user_id] = _name(user)
        enterprise = user.get("enterprise_user") or {}
        homes = (user.get("team_id"), enterprise.get("enterprise_id"))
        return _User(
            name=_name(user),
            homes=frozenset(home for home in homes if isinstance(home, str)),
            is_bot=_true(user, "is_bot") or user_id == "USLACKBOT",
            is_guest=_true(user, "is_restricted") or _true(user, "is_ultra_restricted"),
            is_deactivated=_true(user, "deleted"),
            is_stranger=_true(user, "is_stranger"),
        )

    async def members(self, group_id: str, *, max_age: float) -> Reading[frozenset[str] | None]:
        """Read who is in a user group, None if that cannot be read."""
        return await self._groups.read(group_id, max_age=max_age)

    async def _ask_members(self, group_id: str) -> frozenset[str] | None:
        try:
            users = (await self._slack.usergroups_users_list(usergroup=group_id)).get("users")
        except Exception as error:
            # plan_upgrade_required on a free plan, no_such_subteam when it is gone or disabled.
            log.warning("slack_group_not_read", group=group_id, error=_code(error))
            return None
        if not isinstance(users, list) or not all(isinstance(user, str) and user for user in users):
            return None
        if len(users) > GROUP_MOST:
            log.warning("slack_group_too_large", group=group_id, users=len(users), most=GROUP_MOST)
            return None
        return frozenset(users)

    async def name(self, user_id: str) -> str:
        """Return what a person is called, or their id if that cannot be read. For display only; may be minutes old."""
        user = (await self._users.read(user_id, max_age=NAMES_KEPT_S)).value
        return user.name if user is not None else self._names.get(user_id, user_id)

    async def channel_is_shared(self, channel: str, *, max_age: float) -> Reading[bool | None]:
        """Say whether people of other organisations are in a channel, or None if that cannot be read."""
        return await self._shared.read(channel, max_age=max_age)

    async def _ask_shared(self, channel: str) -> bool | None:
        try:
            info = (await self._slack.conversations_info(channel=channel)).get("channel")
        except Exception as error:
            log.warning("slack_channel_not_read", channel=channel, error=_code(error))
            return None
        if not isinstance(info, dict):
            return None
        return any(_true(info, key) for key in ("is_ext_shared", "is_pending_ext_shared"))


def _true(values: Mapping[str, Any], key: str) -> bool:
    return values.get(key) is True


def _name(user: Mapping[str, Any]) -> str:
    profile = user.get("profile") or {}
    for name in (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name")):
        if isinstance(name, str) and name.strip():
            return name.strip()[:_NAME_LENGTH]
    return str(user.get("id", ""))


def _code(error: BaseException) -> str:
    response = getattr(error, "response", None)
    data = getattr(response, "data", None)
    return str(data.get("error")) if isinstance(data, dict) else type(error).__name__
