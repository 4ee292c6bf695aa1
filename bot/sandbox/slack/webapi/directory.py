"""users.* and usergroups.*: who is here, and who belongs to which group."""

from typing import Any

from bot.sandbox.slack.local import LocalSlack, SlackError
from bot.sandbox.slack.webapi import access
from bot.sandbox.slack.webapi.methods import Method, flag, number, text
from bot.sandbox.slack.webapi.paging import page_of
from bot.sandbox.slack.workspace import TEAM, User, user_json

Args = dict[str, Any]


def _shown(local: LocalSlack, user: User) -> Args:
    return user_json(user, with_email="users:read.email" in local.app.scopes)


def info(local: LocalSlack, args: Args) -> Args:
    """users.info."""
    return {"ok": True, "user": _shown(local, access.known_user(local, args["user"]))}


def list_(local: LocalSlack, args: Args) -> Args:
    """users.list: the people of this workspace and the strangers who share a channel."""
    piece, following = page_of(list(local.workspace.users.values()), args, default=1000, most=1000)
    return {
        "ok": True,
        "members": [_shown(local, user) for user in piece],
        "cache_ts": int(local.clock()),
        "response_metadata": {"next_cursor": following},
    }


def lookup_by_email(local: LocalSlack, args: Args) -> Args:
    """users.lookupByEmail: active people of this workspace only."""
    for user in local.workspace.users.values():
        if user.email == args["email"] and not (user.deleted or user.is_bot or user.is_stranger):
            return {"ok": True, "user": _shown(local, user)}
    raise SlackError("users_not_found")


def groups(local: LocalSlack, args: Args) -> Args:
    """usergroups.list."""
    _paid(local)
    shown = []
    for group_id, (handle, name, people) in local.workspace.usergroups.items():
        group: Args = {
            "id": group_id,
            "team_id": TEAM,
            "is_usergroup": True,
            "name": name,
            "handle": handle,
            "description": "",
            "is_external": False,
            "date_create": 0,
            "date_update": 0,
            "date_delete": 0,
            "created_by": "U0LEE",
            "updated_by": "U0LEE",
            "deleted_by": None,
            "user_count": len(people),
        }
        shown.append(group | ({"users": list(people)} if args.get("include_users") else {}))
    return {"ok": True, "usergroups": shown}


def group_members(local: LocalSlack, args: Args) -> Args:
    """usergroups.users.list."""
    _paid(local)
    if args["usergroup"] not in local.workspace.usergroups:
        raise SlackError("no_such_subteam")
    return {"ok": True, "users": list(local.workspace.usergroups[args["usergroup"]][2])}


def _paid(local: LocalSlack) -> None:
    if local.switches.plan_upgrade_required:
        raise SlackError("plan_upgrade_required")


METHODS = {
    "users.info": Method(info, "t4", ("users:read",), {"user": text}, {"include_locale": flag}),
    "users.list": Method(list_, "t2", ("users:read",), {}, {"cursor": text, "limit": number, "include_locale": flag}),
    "users.lookupByEmail": Method(lookup_by_email, "t3", ("users:read.email",), {"email": text}),
    "usergroups.list": Method(
        groups,
        "t2",
        ("usergroups:read",),
        {},
        {"include_users": flag, "include_count": flag, "include_disabled": flag},
    ),
    "usergroups.users.list": Method(
        group_members, "t2", ("usergroups:read",), {"usergroup": text}, {"include_disabled": flag}
    ),
}
