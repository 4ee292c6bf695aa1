"""The buttons of a request for sign-off: what they carry, and how that is read when one is pressed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.chat.card import CONFIRM_TEXT, Block, actions, button, confirm, option, overflow
from bot.chat.mrkdwn import in_cluster, plain
from bot.chat.plan_names import object_name
from bot.chat.plan_record import Record, many, one
from bot.domain.approval import Approval

APPROVE_ACTION = "apr.approve"
DENY_ACTION = "apr.deny"
MORE_ACTION = "apr.more"
REVOKE, CANCEL, EDIT, BREAK = "revoke", "cancel", "edit", "break"
"""What the menu behind the three dots offers, as the first part of an option's value."""

_VALUE = re.compile(r"([A-Za-z0-9_-]{1,32})\.([0-9a-f]{64})")


def button_value(approval: Approval) -> str:
    """Return what the buttons carry: which request, and the digest of the plan that the card shows."""
    return f"{approval.id}.{approval.digest}"


def read_choice(value: str) -> tuple[str, str]:
    """Return (what was chosen, the button's value) from an option of the menu."""
    choice, _, rest = value.partition(":")
    return choice, rest


def read_button_value(value: str) -> tuple[str, str] | None:
    """Return (approval id, digest) from a button's value, or None if it is not one of ours."""
    match = _VALUE.fullmatch(value)
    return (match[1], match[2]) if match else None


def decision_buttons(approval: Approval, record: Record, *, approvable: bool) -> Block:
    """Render what a request can be decided with; without ``approvable`` it can only be stopped."""
    value = button_value(approval)
    what = plain(f"{one(record, 'runbook').get('title', approval.runbook)}: {object_name(record)}", CONFIRM_TEXT - 120)
    where = in_cluster(str(record.get("cluster", "")))
    row = []
    if approvable:
        asks = confirm(f"Approve {approval.name}?", f"{what}{where}. It runs at once.", "Approve", "Not now")
        spoken = f"Approve {approval.name}"
        row.append(button("Approve", APPROVE_ACTION, value, style="primary", confirm=asks, spoken=spoken))
    row.append(button("Deny…", DENY_ACTION, value, spoken=f"Deny {approval.name} and say why"))
    rare = [option("Take my approval back", f"{REVOKE}:{value}")]
    if approvable and many(record, "break_glass"):
        rare.append(option("Break the glass…", f"{BREAK}:{value}"))
    if one(record, "parameters"):
        rare.append(option("Change its parameters…", f"{EDIT}:{value}"))
    if approval.requester is not None:
        rare.append(option("Cancel this request", f"{CANCEL}:{value}"))
    # A menu of one is no menu.
    row.append(overflow(MORE_ACTION, rare) if len(rare) > 1 else _only(rare[0]))
    return actions(row, block_id=approval.name)


def _only(choice: Mapping[str, Any]) -> dict[str, Any]:
    return button(choice["text"]["text"], MORE_ACTION, choice["value"])
