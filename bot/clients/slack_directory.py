"""What Slack says of a person or a channel: the standing that a vote is judged by, and names for display."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from bot.domain.approval import Person, Standing

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

log = structlog.get_logger("signoff.slack_directory")

NAMES_KEPT_S = 300.0
_NAMES_KEPT = 5_000
_NAME_LENGTH = 80
# More people than this in a user group decide nothing together; a plan holds every one of them.
GROUP_MOST = 500


@dataclass(frozen=True, slots=True)
class Membership:
    """Who is in a Slack user group, or None if that cannot be read, and how old the reading is."""

    users: frozenset[str] | None
    age_seconds: float


@dataclass(frozen=True, slots=True)
class _Reading:
    asked_at: float
    answered_at: float
    users: frozenset[str] | None


class SlackDirectory:
    """Reads people and channels. A standing is read anew each time; only names, which decide nothing, are cached."""

    def __init__(self, slack: AsyncWebClient, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._slack = slack
        self._monotonic = monotonic
        self._names: dict[str, tuple[float, str]] = {}
        self._groups: dict[str, _Reading] = {}
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def standing(self, person: Person) -> Standing:
        """Read how a person stands now. Whatever goes wrong, and whatever Slack does not say, makes them not known.

        ``person.team_id`` may be the workspace's or the enterprise's id; somebody of another one is foreign.
        """
        unknown = Standing(person=person, name=person.user_id, known=False)
        try:
            answer = await self._slack.users_info(user=person.user_id)
            user = answer.get("user")
        except Exception as error:
            log.warning("slack_person_not_read", person=str(person), error=_code(error))
            return unknown
        if not isinstance(user, dict) or user.get("id") != person.user_id:
            return unknown
        self._remember(person.user_id, _name(user))
        enterprise = user.get("enterprise_user") or {}
        homes = {user.get("team_id"), enterprise.get("enterprise_id")}
        return Standing(
            person=person,
            name=_name(user),
            known=True,
            is_bot=_true(user, "is_bot") or person.user_id == "USLACKBOT",
            is_guest=_true(user, "is_restricted") or _true(user, "is_ultra_restricted"),
            is_deactivated=_true(user, "deleted"),
            is_foreign=_true(user, "is_stranger") or person.team_id not in homes,
        )

    async def members(self, group_id: str, *, max_age: float) -> Membership:
        """Read who is in a user group, at most ``max_age`` seconds ago: 0 asks Slack anew. One request a group is
        under way at a time, and all who wait share its answer; a failure is shared by those who waited for it."""
        asked = self._monotonic()
        async with self._reading[group_id]:
            kept = self._groups.get(group_id)
            fits = kept is not None and (
                kept.asked_at >= asked - max_age if kept.users is not None else kept.answered_at >= asked
            )
            if kept is None or not fits:
                begun = self._monotonic()
                users = await self._ask_members(group_id)
                kept = self._groups[group_id] = _Reading(begun, self._monotonic(), users)
        return Membership(kept.users, max(0.0, self._monotonic() - kept.asked_at))

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
        kept = self._names.get(user_id)
        if kept is not None and kept[0] > self._monotonic():
            return kept[1]
        try:
            user = (await self._slack.users_info(user=user_id)).get("user")
        except Exception as error:
            log.info("slack_name_not_read", user=user_id, error=_code(error))
            return kept[1] if kept is not None else user_id
        name = _name(user) if isinstance(user, dict) else user_id
        self._remember(user_id, name)
        return name

    async def channel_is_shared(self, channel: str) -> bool | None:
        """Say whether people of other organisations are in a channel, or None if that cannot be read."""
        try:
            info = (await self._slack.conversations_info(channel=channel)).get("channel")
        except Exception as error:
            log.warning("slack_channel_not_read", channel=channel, error=_code(error))
            return None
        if not isinstance(info, dict):
            return None
        return any(_true(info, key) for key in ("is_ext_shared", "is_pending_ext_shared"))

    def _remember(self, user_id: str, name: str) -> None:
        if len(self._names) >= _NAMES_KEPT:
            self._names.clear()
        self._names[user_id] = (self._monotonic() + NAMES_KEPT_S, name)


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
