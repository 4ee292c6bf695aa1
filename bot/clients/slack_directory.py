"""What Slack says of a person or a channel: the standing that a vote is judged by, and names for display."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import structlog

from bot.domain.approval import Person, Standing

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

log = structlog.get_logger("signoff.slack_directory")

NAMES_KEPT_S = 300.0
_NAMES_KEPT = 5_000
_NAME_LENGTH = 80


class SlackDirectory:
    """Reads people and channels. A standing is read anew each time; only names, which decide nothing, are cached."""

    def __init__(self, slack: AsyncWebClient, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._slack = slack
        self._monotonic = monotonic
        self._names: dict[str, tuple[float, str]] = {}

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
