"""The views.* methods: open, push and update modals, publish the Home tab."""

from typing import Any

from bot.sandbox.slack import modals
from bot.sandbox.slack.local import LocalSlack, SlackError
from bot.sandbox.slack.webapi import access
from bot.sandbox.slack.webapi.methods import Method, structure, text
from bot.sandbox.slack.workspace import view_json

Args = dict[str, Any]


def views_open(local: LocalSlack, args: Args) -> Args:
    """views.open: a new stack for the person whose trigger this is."""
    body = modals.read_view(local, args["view"], "modal")
    user, error = local.triggers.spend(args["trigger_id"])
    if error:
        raise SlackError(error)
    return _answer(local, modals.open_stack(local, user, body))


def views_push(local: LocalSlack, args: Args) -> Args:
    """views.push: on top of the open stack, at most three deep."""
    body = modals.read_view(local, args["view"], "modal")
    user, error = local.triggers.spend(args["trigger_id"])
    if error:
        raise SlackError(error)
    return _answer(local, modals.push(local, user, body))


def views_update(local: LocalSlack, args: Args) -> Args:
    """views.update, by view_id or external_id; a stale hash is hash_conflict."""
    if "view_id" in args:
        view = local.workspace.view(args["view_id"])
    elif "external_id" in args:
        view = local.workspace.view_with_external_id(args["external_id"])
    else:
        raise SlackError("invalid_arguments", ["missing required field: view_id or external_id"])
    if view is None or view.body["type"] != "modal":
        raise SlackError("not_found")
    body = modals.read_view(local, args["view"], "modal", of=view)
    if args.get("hash") not in (None, view.hash):
        raise SlackError("hash_conflict")
    modals.update(local, view, body)
    return _answer(local, view)


def views_publish(local: LocalSlack, args: Args) -> Args:
    """views.publish: the Home tab of one person."""
    user = access.known_user(local, args["user_id"])
    if not local.app.home_tab:
        raise SlackError("not_enabled")
    current = local.workspace.homes.get(user.id)
    body = modals.read_view(local, args["view"], "home", of=current)
    if current and args.get("hash") not in (None, current.hash):
        raise SlackError("hash_conflict")
    return _answer(local, modals.publish(local, user.id, body))


def _answer(local: LocalSlack, view: Any) -> Args:
    return {"ok": True, "view": view_json(local.workspace, view)}


_UNPLAYED = frozenset({"interactivity_pointer"})
METHODS = {
    "views.open": Method(views_open, "t4", (), {"trigger_id": text, "view": structure}, {}, _UNPLAYED),
    "views.push": Method(views_push, "t4", (), {"trigger_id": text, "view": structure}, {}, _UNPLAYED),
    "views.update": Method(
        views_update, "t4", (), {"view": structure}, {"view_id": text, "external_id": text, "hash": text}
    ),
    "views.publish": Method(views_publish, "t4", (), {"user_id": text, "view": structure}, {"hash": text}, _UNPLAYED),
}
