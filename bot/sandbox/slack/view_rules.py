"""The rules of modals and the Home tab: what a view may hold.

Sources: docs "Reference: views" (title, submit and close 24, private_metadata 3000, callback_id and external_id 255,
250 KB), the views.open reference (errors are `invalid_arguments` with pointers below /view).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.slack.blocks import Surface, problems_of_blocks, problems_of_plain_text
from bot.sandbox.slack.rules import Problem

MOST_BYTES = 250_000
STACK_DEPTH = 3

_LENGTHS = {"private_metadata": 3000, "callback_id": 255, "external_id": 255}
_FLAGS = ("clear_on_close", "notify_on_close", "submit_disabled")
_MODAL_TEXTS = ("title", "submit", "close")
_KEYS: Mapping[Surface, frozenset[str]] = {
    "modal": frozenset({"type", "blocks", *_LENGTHS, *_FLAGS, *_MODAL_TEXTS}),
    "home": frozenset({"type", "blocks", *_LENGTHS}),
}


def view_too_large(view: Mapping[str, Any]) -> bool:
    """Whether the view is above Slack's 250 KB."""
    return len(json.dumps(view).encode()) > MOST_BYTES


def problems_of_view(view: Any, surface: Surface) -> list[Problem]:
    """Every broken rule of a view payload; empty when Slack would take it."""
    if not isinstance(view, dict):
        return [Problem("must provide an object", "/view")]
    if view.get("type") != surface:
        return [Problem(f"must be of type {surface}", "/view/type")]
    return list(_problems(view, surface))


def _problems(view: Mapping[str, Any], surface: Surface) -> Iterator[Problem]:
    for key in sorted(set(view) - _KEYS[surface]):
        yield Problem(f"invalid additional property: {key}", "/view")
    for key in ("title", "blocks") if surface == "modal" else ("blocks",):
        if key not in view:
            yield Problem(f"missing required field: {key}", "/view")
    for key, most in _LENGTHS.items():
        value = view.get(key, "")
        if not isinstance(value, str):
            yield Problem("must provide a string", f"/view/{key}")
        elif len(value) > most:
            yield Problem(f"must be less than {most + 1} characters", f"/view/{key}")
    for key in _FLAGS:
        if not isinstance(view.get(key, False), bool):
            yield Problem("must provide a boolean", f"/view/{key}")
    for key in _MODAL_TEXTS:
        if key in view:
            yield from problems_of_plain_text(view[key], 24, f"/view/{key}")
    if "blocks" in view:
        blocks = problems_of_blocks(view["blocks"], surface, "/view/blocks")
        yield from blocks
        if surface == "modal" and "submit" not in view and not blocks:
            for block in view["blocks"]:
                if block["type"] == "input":
                    yield Problem("missing required field: submit (a modal with an input block needs it)", "/view")
                    return
