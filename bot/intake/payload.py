"""Reading what Slack sends: who acts, where, on what, and one id for one act however often it is delivered."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from bot.domain.approval import Person

HOME = "signoff_home"
"""Where Bolt's context keeps the workspace (or enterprise) that whoever acts was found to belong to."""

_ROW_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


def belongs(body: Mapping[str, Any], team_id: str | None, enterprise_id: str | None) -> bool:
    """Say whether whoever acts is of the workspace ``team_id``, or of the enterprise if the app is installed in one."""
    enterprise = body.get("enterprise") or {}
    theirs = enterprise.get("id") if isinstance(enterprise, Mapping) else None
    if enterprise_id and (theirs or body.get("enterprise_id")) == enterprise_id:
        return True
    team = body.get("team") or {}
    user = body.get("user") or {}
    given = {
        value
        for value in (
            team.get("id") if isinstance(team, Mapping) else None,
            user.get("team_id") if isinstance(user, Mapping) else None,
            body.get("team_id"),
        )
        if value
    }
    return bool(team_id) and given == {team_id}


def person(context: Any, body: Mapping[str, Any]) -> Person:
    """Return who acts."""
    return Person(str(context[HOME]), user_id(body))


def user_id(body: Mapping[str, Any]) -> str:
    """Return the user's id alone, which is unique in its workspace only."""
    user = body.get("user")
    return str(user.get("id", "")) if isinstance(user, Mapping) else str(body.get("user_id", ""))


def team_id(body: Mapping[str, Any]) -> str:
    """Return the workspace that the user is said to be of."""
    user = body.get("user")
    return str(user.get("team_id", "")) if isinstance(user, Mapping) else str(body.get("team_id", ""))


def person_name(body: Mapping[str, Any]) -> str:
    """Return the user's name, at most 80 characters of it."""
    user = body.get("user")
    name = (user.get("name") or user.get("username")) if isinstance(user, Mapping) else body.get("user_name")
    return str(name or "")[:80]


def channel(body: Mapping[str, Any]) -> str:
    """Return the channel where it was done, an empty string if there is none."""
    found = body.get("channel")
    if isinstance(found, Mapping):
        return str(found.get("id", ""))
    container = body.get("container") or {}
    return str(container.get("channel_id") or body.get("channel_id") or "")


def action(body: Mapping[str, Any], key: str) -> str:
    """Return a text of the button that was clicked, an empty string if it has none."""
    value = _first(body).get(key)
    return value if isinstance(value, str) else ""


def chosen(body: Mapping[str, Any]) -> str:
    """Return the value of what was chosen in a menu, or of a button that stands for a menu of one."""
    option = _first(body).get("selected_option")
    value = option.get("value") if isinstance(option, Mapping) else None
    return value if isinstance(value, str) else action(body, "value")


def row_id(body: Mapping[str, Any]) -> str:
    """Return the id of the row that a button is about, an empty string if its value is no such id."""
    value = action(body, "value")
    return value if _ROW_ID.fullmatch(value) else ""


def once(context: Any, body: Mapping[str, Any], about: str, decision: str, occasion: str) -> str:
    """Return the id of one act of one person: the same each time Slack delivers it."""
    parts = (context[HOME], user_id(body), about, decision, occasion)
    return "v" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def _first(body: Mapping[str, Any]) -> Mapping[str, Any]:
    acted = body.get("actions")
    first = acted[0] if isinstance(acted, list) and acted else {}
    return first if isinstance(first, Mapping) else {}
