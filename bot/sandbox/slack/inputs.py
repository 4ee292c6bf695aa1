"""What the inputs of a view or message hold: Slack's `state.values`, and what its client refuses to submit.

Sources: docs "Reference: view interaction payloads" and "block_actions payload" (one shape an element type).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from bot.sandbox.slack.blocks import elements_of, options_of

# element type -> (key in state.values, key of the initial value in the element)
_SHAPES: Mapping[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
}
_LISTS = ("selected_options", "selected_users")

Values = dict[str, dict[str, dict[str, Any]]]


class BadAnswer(ValueError):
    """An answer that the client of Slack would not let a person give; the message says why."""


def first_values(blocks: Sequence[Mapping[str, Any]]) -> Values:
    """`state.values` of freshly shown blocks: the initial values, or null where nothing is chosen."""
    values: Values = {}
    for block, element in _stateful(blocks):
        key, initial = _SHAPES[element["type"]]
        empty: Any = [] if key in _LISTS else None
        values.setdefault(block["block_id"], {})[element["action_id"]] = {
            "type": element["type"],
            key: element.get(initial, empty),
        }
    return values


def merged(blocks: Sequence[Mapping[str, Any]], old: Values) -> Values:
    """`state.values` after an update of the blocks: what a person entered stays where block and action ids stay."""
    values = first_values(blocks)
    for block_id, actions in values.items():
        for action_id, held in actions.items():
            before = old.get(block_id, {}).get(action_id)
            if before and before["type"] == held["type"]:
                actions[action_id] = before
    return values


def answered(element: Mapping[str, Any], answer: Any) -> dict[str, Any]:
    """The state of one element after a person's plain answer.

    Text for typed inputs, an option's value for a choice, a list of them for several, ids for users; None clears.
    Raises BadAnswer for what the client would not offer.
    """
    kind = element["type"]
    if kind not in _SHAPES:
        raise BadAnswer(f"a {kind} takes no answer")
    key, _ = _SHAPES[kind]
    if key in _LISTS:
        if not isinstance(answer, (list, type(None))):
            raise BadAnswer(f"{kind} takes a list")
        chosen = [_chosen(element, key, entry) for entry in answer or []]
        return {"type": kind, key: chosen}
    return {"type": kind, key: None if answer in (None, "") else _chosen(element, key, answer)}


def refusals(blocks: Sequence[Mapping[str, Any]], values: Values) -> dict[str, str]:
    """What the client says under an input instead of submitting, by block_id; empty when it would submit."""
    said: dict[str, str] = {}
    for block, element in _stateful(blocks):
        if block["type"] != "input":
            continue
        key, _ = _SHAPES[element["type"]]
        held = values[block["block_id"]][element["action_id"]][key]
        if not held:
            if not block.get("optional"):
                said[block["block_id"]] = "Please complete this required field."
        elif key == "value":
            complaint = _complaint(element, held)
            if complaint:
                said[block["block_id"]] = complaint
        elif len(held) > element.get("max_selected_items", 100) and key in _LISTS:
            said[block["block_id"]] = f"Please select at most {element['max_selected_items']} items."
    return said


def find_option(element: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """The option with this value; raises BadAnswer when the element does not offer it."""
    for option in options_of(element):
        if option["value"] == value:
            return option
    raise BadAnswer(f"{element['type']} offers no option with the value {value!r}")


def _stateful(blocks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    for block in blocks:
        for element in elements_of(block):
            if element["type"] in _SHAPES:
                yield block, element


def _chosen(element: Mapping[str, Any], key: str, answer: Any) -> Any:
    if key in ("selected_option", "selected_options"):
        return find_option(element, answer)
    if not isinstance(answer, str):
        raise BadAnswer(f"{element['type']} takes text")
    return answer


def _complaint(element: Mapping[str, Any], text: str) -> str:
    match element["type"]:
        case "plain_text_input" if len(text) < element.get("min_length", 0):
            return f"This field must have at least {element['min_length']} characters."
        case "plain_text_input" if len(text) > element.get("max_length", 3000):
            return f"This field must have at most {element.get('max_length', 3000)} characters."
        case "number_input":
            return _number_complaint(element, text)
        case "email_text_input" if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
            return "Please enter a valid email address."
        case "url_text_input" if not re.fullmatch(r"https?://\S+", text):
            return "Please enter a valid URL."
    return ""


def _number_complaint(element: Mapping[str, Any], text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return "Please enter a number."
    if not number.is_finite():
        return "Please enter a number."
    if not element["is_decimal_allowed"] and number != number.to_integral_value():
        return "Please enter a whole number."
    if "min_value" in element and number < Decimal(element["min_value"]):
        return f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and number > Decimal(element["max_value"]):
        return f"Please enter a number of at most {element['max_value']}."
    return ""
