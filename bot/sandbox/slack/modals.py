"""The modals a person has open, as a stack of at most three, and their Home tab.

Sources: views.open, views.push, views.update and views.publish references; docs "Modals" (the stack of three views).
"""

from typing import Any

from bot.sandbox.slack.blocks import Surface, with_ids
from bot.sandbox.slack.inputs import first_values, merged
from bot.sandbox.slack.local import LocalSlack, SlackError
from bot.sandbox.slack.view_rules import STACK_DEPTH, problems_of_view, view_too_large
from bot.sandbox.slack.workspace import View


def read_view(local: LocalSlack, view: Any, surface: Surface, *, of: View | None = None) -> dict[str, Any]:
    """Validate a view payload and fill in its ids; `of` is the view it replaces, which may keep its external_id."""
    problems = [str(problem) for problem in problems_of_view(view, surface)]
    if problems:
        raise SlackError("invalid_arguments", problems)
    if view_too_large(view):
        raise SlackError("view_too_large")
    twin = local.workspace.view_with_external_id(view.get("external_id", ""))
    if twin is not None and twin is not of:
        raise SlackError("duplicate_external_id")
    return dict(view) | {"blocks": with_ids(view["blocks"], local.workspace.short_id)}


def open_stack(local: LocalSlack, user: str, body: dict[str, Any]) -> View:
    """Show a modal as the first of a new stack; an older stack of this person is gone."""
    view = _new(local, user, body)
    local.workspace.modals[user] = [view]
    local.bell.ring()
    return view


def push(local: LocalSlack, user: str, body: dict[str, Any]) -> View:
    """Show a modal on top of the person's stack."""
    stack = local.workspace.modals.get(user, [])
    if not stack:
        raise SlackError("not_found")
    if len(stack) >= STACK_DEPTH:
        raise SlackError("push_limit_reached")
    view = _new(local, user, body)
    view.root, view.previous = stack[0].id, stack[-1].id
    stack.append(view)
    local.bell.ring()
    return view


def update(local: LocalSlack, view: View, body: dict[str, Any]) -> None:
    """Replace what a view shows; entered values stay where block and action ids stay."""
    view.values = merged(body["blocks"], view.values)
    view.body = body
    view.hash = _hash(local)
    view.updates += 1
    local.bell.ring()


def publish(local: LocalSlack, user: str, body: dict[str, Any]) -> View:
    """Set a person's Home tab."""
    view = local.workspace.homes.get(user)
    if view is None:
        view = local.workspace.homes[user] = _new(local, user, body)
        local.bell.ring()
    else:
        update(local, view, body)
    return view


def pop(local: LocalSlack, view: View) -> None:
    """Take the view and all above it off the stack: the one below shows again."""
    stack = local.workspace.modals.get(view.user, [])
    if view in stack:
        del stack[stack.index(view) :]
    local.bell.ring()


def clear(local: LocalSlack, user: str) -> None:
    """Close all modals of this person."""
    local.workspace.modals.pop(user, None)
    local.bell.ring()


def _new(local: LocalSlack, user: str, body: dict[str, Any]) -> View:
    view_id = local.workspace.new_id("V")
    return View(view_id, user, body, _hash(local), first_values(body["blocks"]), root=view_id)


def _hash(local: LocalSlack) -> str:
    return f"{local.clock():.0f}.{local.workspace.short_id()}{local.workspace.short_id()}"
