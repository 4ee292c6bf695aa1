"""state.values has one shape an element type, and the client refuses what Slack's client refuses."""

from typing import Any

import pytest

from bot.sandbox.slack.inputs import BadAnswer, answered, first_values, merged, refusals

ONE = {"text": {"type": "plain_text", "text": "One"}, "value": "1"}
TWO = {"text": {"type": "plain_text", "text": "Two"}, "value": "2"}


def block(element: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"type": "input", "block_id": "b", "element": {"action_id": "a", **element}, **parts}


@pytest.mark.parametrize(
    ("element", "empty", "answer", "held"),
    [
        ({"type": "plain_text_input"}, {"value": None}, "hi", {"value": "hi"}),
        ({"type": "number_input"}, {"value": None}, "4", {"value": "4"}),
        ({"type": "static_select", "options": [ONE, TWO]}, {"selected_option": None}, "2", {"selected_option": TWO}),
        ({"type": "radio_buttons", "options": [ONE, TWO]}, {"selected_option": None}, "1", {"selected_option": ONE}),
        ({"type": "checkboxes", "options": [ONE, TWO]}, {"selected_options": []}, ["2"], {"selected_options": [TWO]}),
        (
            {"type": "multi_static_select", "option_groups": [{"options": [ONE]}, {"options": [TWO]}]},
            {"selected_options": []},
            ["1", "2"],
            {"selected_options": [ONE, TWO]},
        ),
        ({"type": "users_select"}, {"selected_user": None}, "U0LEE", {"selected_user": "U0LEE"}),
        ({"type": "multi_users_select"}, {"selected_users": []}, ["U0LEE"], {"selected_users": ["U0LEE"]}),
        ({"type": "datepicker"}, {"selected_date": None}, "2026-11-21", {"selected_date": "2026-11-21"}),
    ],
)
def test_each_element_type_has_its_shape(
    element: dict[str, Any], empty: dict[str, Any], answer: Any, held: dict[str, Any]
) -> None:
    assert first_values([block(element)]) == {"b": {"a": {"type": element["type"], **empty}}}
    assert answered(element, answer) == {"type": element["type"], **held}


def test_initial_values_are_held_from_the_start() -> None:
    element = {"type": "static_select", "options": [ONE, TWO], "initial_option": TWO}
    assert first_values([block(element)])["b"]["a"]["selected_option"] == TWO


def test_buttons_hold_nothing() -> None:
    row = {"type": "actions", "block_id": "b", "elements": [{"type": "button", "action_id": "a"}]}
    assert first_values([row]) == {}


def test_what_was_entered_survives_an_update_with_the_same_ids() -> None:
    entered = {"b": {"a": {"type": "plain_text_input", "value": "typed"}}}
    assert merged([block({"type": "plain_text_input"})], entered) == entered
    assert merged([block({"type": "number_input"})], entered)["b"]["a"]["value"] is None


@pytest.mark.parametrize("answer", ["3", ["1"], None])
def test_only_offered_options_can_be_chosen(answer: Any) -> None:
    element = {"type": "static_select", "options": [ONE, TWO]}
    if answer is None:
        assert answered(element, None)["selected_option"] is None
    else:
        with pytest.raises(BadAnswer):
            answered(element, answer)


@pytest.mark.parametrize(
    ("element", "value", "complaint"),
    [
        ({"type": "plain_text_input"}, None, "Please complete this required field."),
        ({"type": "plain_text_input", "min_length": 3}, "ab", "This field must have at least 3 characters."),
        ({"type": "plain_text_input", "min_length": 3}, "abc", ""),
        ({"type": "plain_text_input", "max_length": 3}, "abcd", "This field must have at most 3 characters."),
        ({"type": "number_input", "is_decimal_allowed": False}, "1.5", "Please enter a whole number."),
        ({"type": "number_input", "is_decimal_allowed": True}, "1.5", ""),
        ({"type": "number_input", "is_decimal_allowed": True}, "many", "Please enter a number."),
        ({"type": "number_input", "is_decimal_allowed": True}, "NaN", "Please enter a number."),
        (
            {"type": "number_input", "is_decimal_allowed": False, "min_value": "2"},
            "1",
            "Please enter a number of at least 2.",
        ),
        (
            {"type": "number_input", "is_decimal_allowed": False, "max_value": "2"},
            "3",
            "Please enter a number of at most 2.",
        ),
        ({"type": "email_text_input"}, "lee", "Please enter a valid email address."),
        ({"type": "url_text_input"}, "javascript:1", "Please enter a valid URL."),
    ],
)
def test_the_client_refuses_before_it_submits(element: dict[str, Any], value: str | None, complaint: str) -> None:
    values = {"b": {"a": {"type": element["type"], "value": value}}}
    assert refusals([block(element)], values) == ({"b": complaint} if complaint else {})


def test_an_optional_input_may_stay_empty() -> None:
    blocks = [block({"type": "plain_text_input"}, optional=True)]
    assert refusals(blocks, first_values(blocks)) == {}


def test_no_more_than_max_selected_items() -> None:
    element = {"type": "multi_static_select", "options": [ONE, TWO], "max_selected_items": 1}
    values = {"b": {"a": answered(element, ["1", "2"])}}
    assert refusals([block(element)], values) == {"b": "Please select at most 1 items."}
