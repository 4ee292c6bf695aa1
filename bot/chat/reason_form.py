"""The modals that take a written reason: why a request is denied, why the glass is broken, what a review found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.chat.approval_buttons import read_button_value
from bot.chat.card import plain_text
from bot.chat.mrkdwn import lines

Reasoned = Literal["deny", "break", "reviewed"]
"""The decisions that take a reason."""

CALLBACKS: Mapping[Reasoned, str] = {"deny": "apr.deny", "break": "apr.break", "reviewed": "apr.reviewed"}
REASON_BLOCK = "reason"
REASON_ACTION = "text"
LEAST_REASON = 3
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    submit: str
    label: str
    hint: str
    empty: str


_WORDS: Mapping[Reasoned, _Words] = {
    "deny": _Words(
        "Deny",
        "Deny",
        "Why not?",
        "Everybody in the thread reads it, and it is kept in the audit.",
        "Write a few words: those who asked will read them.",
    ),
    "break": _Words(
        "Break glass",
        "Break the glass",
        "What is the emergency?",
        "It runs at once, without its quorum. The channel and the approvers are told, it is kept in the audit, and "
        "somebody else has to review it.",
        "Write a few words: those whose approval is passed over will read them.",
    ),
    "reviewed": _Words(
        "Review",
        "Close the review",
        "Was it right to break the glass?",
        "Everybody in the channel reads it, and it is kept in the audit.",
        "Write a few words: they close the review.",
    ),
}


@dataclass(frozen=True, slots=True)
class OpenedFor:
    """What the modal was opened for: the decision, the request, the plan the person saw, and where the button was."""

    decision: Reasoned
    approval_id: str
    digest: str
    channel: str


def render(decision: Reasoned, name: str, value: str, channel: str) -> dict[str, Any]:
    """Return the modal for a button with this ``value``, clicked in ``channel``. ``name`` is as on the card."""
    words = _WORDS[decision]
    return {
        "type": "modal",
        "callback_id": CALLBACKS[decision],
        "private_metadata": json.dumps({"value": value, "channel": channel}),
        "title": plain_text(f"{words.title} {name}"[:24].strip()),
        "submit": plain_text(words.submit),
        "close": plain_text("Cancel"),
        "blocks": [
            {
                "type": "input",
                "block_id": REASON_BLOCK,
                "label": plain_text(words.label),
                "hint": plain_text(words.hint),
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


def opened_for(view: Mapping[str, Any]) -> OpenedFor | None:
    """Read back what the modal was opened for, or None if this is not a modal of ours."""
    decision = next((each for each, callback in CALLBACKS.items() if callback == view.get("callback_id")), None)
    try:
        kept = json.loads(view.get("private_metadata") or "")
        value, channel = kept["value"], kept["channel"]
    except (ValueError, KeyError, TypeError):
        return None
    read = read_button_value(value) if isinstance(value, str) and isinstance(channel, str) else None
    return OpenedFor(decision, read[0], read[1], channel) if read and decision else None


def reason(view: Mapping[str, Any]) -> str:
    """Return the reason that was written, or an empty text if it is too short to be one."""
    try:
        text = view["state"]["values"][REASON_BLOCK][REASON_ACTION]["value"]
    except (KeyError, TypeError):
        return ""
    text = " ".join(lines(text).split())[:LONGEST_REASON] if isinstance(text, str) else ""
    return text if len(text) >= LEAST_REASON else ""


def without_reason(decision: Reasoned) -> str:
    """Say why a reason has to be written."""
    return _WORDS[decision].empty
