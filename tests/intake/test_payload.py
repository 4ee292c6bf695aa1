"""Who acts, on what and for the how many-th time is read out of what Slack sends, however little that is."""

from typing import Any

import pytest

from bot.intake import payload
from bot.intake.payload import HOME, belongs


@pytest.mark.parametrize(
    ("body", "team", "enterprise", "ours"),
    [
        ({"team": {"id": "T1"}, "user": {"team_id": "T1"}, "enterprise": None}, "T1", None, True),
        ({"team": {"id": "T1"}, "user": {"id": "U1"}}, "T1", None, True),
        ({"team_id": "T1", "user_id": "U1"}, "T1", None, True),
        ({"team": {"id": "T1"}, "user": {"team_id": "T2"}}, "T1", None, False),
        ({"team": {"id": "T2"}, "user": {"team_id": "T2"}}, "T1", None, False),
        ({"team": None, "enterprise": {"id": "E1"}, "user": {"team_id": "T9"}}, "T1", "E1", True),
        ({"team": None, "enterprise": {"id": "E2"}, "user": {"team_id": "T9"}}, "T1", "E1", False),
        ({"team": None, "user": {"id": "U1"}}, "T1", None, False),
        ({}, "T1", None, False),
        ({}, None, None, False),
    ],
)
def test_who_belongs_here(body: dict[str, Any], team: str | None, enterprise: str | None, ours: bool) -> None:
    assert belongs(body, team, enterprise) == ours


CONTEXT = {HOME: "T1"}
CLICK = {"user": {"id": "U1"}, "actions": [{"value": "a77.0123", "action_ts": "1.5"}]}


def test_an_act_has_one_id_and_another_act_another() -> None:
    first = payload.once(CONTEXT, CLICK, "a77", "approve", "1.5")
    assert payload.once(CONTEXT, CLICK, "a77", "approve", "1.5") == first
    others = {
        payload.once({HOME: "T2"}, CLICK, "a77", "approve", "1.5"),
        payload.once(CONTEXT, {"user": {"id": "U2"}}, "a77", "approve", "1.5"),
        payload.once(CONTEXT, CLICK, "a78", "approve", "1.5"),
        payload.once(CONTEXT, CLICK, "a77", "revoke", "1.5"),
        payload.once(CONTEXT, CLICK, "a77", "approve", "1.6"),
    }
    assert len(others - {first}) == 5


@pytest.mark.parametrize(
    ("value", "row"), [("a77", "a77"), ("", ""), ("a77/../b", ""), ("a" * 33, ""), (None, ""), ({"a": 1}, "")]
)
def test_a_button_is_about_a_row_or_about_none(value: Any, row: str) -> None:
    assert payload.row_id({"actions": [{"value": value}]}) == row


@pytest.mark.parametrize("actions", [None, [], {}, ["x"], [None]])
def test_a_click_on_nothing_is_read_as_nothing(actions: Any) -> None:
    body = {"actions": actions, "user": None}
    assert (payload.action(body, "value"), payload.chosen(body), payload.row_id(body)) == ("", "", "")
    assert (payload.user_id(body), payload.person_name(body), payload.channel(body)) == ("", "", "")


def test_a_choice_is_what_was_selected_or_else_the_button() -> None:
    assert payload.chosen({"actions": [{"selected_option": {"value": "revoke:x"}, "value": "y"}]}) == "revoke:x"
    assert payload.chosen({"actions": [{"value": "cancel:x"}]}) == "cancel:x"
