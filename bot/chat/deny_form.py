"""The modal that asks why a request is denied, and reading what was written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.chat.approval_card import read_button_value
from bot.chat.card import plain_text
from bot.chat.mrkdwn import lines

CALLBACK = "apr.deny"
REASON_BLOCK = "reason"
REASON_ACTION = "text"
LEAST_REASON = 3
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Denial:
    """What the modal was opened for: the request, the plan the person saw, and where the button was."""

    approval_id: str
    digest: str
    channel: str


def render(name: str, value: str, channel: str) -> dict[str, Any]:
    """Return the modal for a Deny button with this ``value``, clicked in ``channel``. ``name`` is as on the card."""
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": json.dumps({"value": value, "channel": channel}),
        "title": plain_text(f"Deny {name}"[:24]),
        "submit": plain_text("Deny"),
        "close": plain_text("Cancel"),
        "blocks": [
            {
                "type": "input",
                "block_id": REASON_BLOCK,
                "label": plain_text("Why not?"),
                "hint": plain_text("Everybody in the thread reads it, and it is kept in the audit."),
                "element": {
                    "type": "plain_text_input",
                    "action_id": REASON_ACTION,
                    "multiline": True,
                    "min_length": LEAST_REASON,
                    "max_length": LONGEST_REASON,
                    "focus_on_load": True,
                },
            }
        ],
    }


def opened_for(view: Mapping[str, Any]) -> Denial | None:
    """Read back what the modal was opened for, or None if this is not a modal of ours."""
    try:
        kept = json.loads(view.get("private_metadata") or "")
        value, channel = kept["value"], kept["channel"]
    except (ValueError, KeyError, TypeError):
        return None
    read = read_button_value(value) if isinstance(value, str) and isinstance(channel, str) else None
    return Denial(read[0], read[1], channel) if read else None


def reason(view: Mapping[str, Any]) -> str:
    """Return the reason that was written, or an empty text if it is too short to be one."""
    try:
        text = view["state"]["values"][REASON_BLOCK][REASON_ACTION]["value"]
    except (KeyError, TypeError):
        return ""
    text = " ".join(lines(text).split())[:LONGEST_REASON] if isinstance(text, str) else ""
    return text if len(text) >= LEAST_REASON else ""
