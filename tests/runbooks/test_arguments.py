"""What a step takes is judged by its schema: in the file, and once its parameters are filled in."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.actions import ACTIONS
from bot.runbooks.arguments import faults, refusal, written_faults
from bot.runbooks.checks import PRECONDITIONS


@pytest.mark.parametrize(
    ("action", "given", "key"),
    [
        ("scale", {"replicas": -1}, ("replicas",)),
        ("scale", {"replicas": True}, ("replicas",)),
        ("scale", {"replicas": 2**31}, ("replicas",)),
        ("job-run", {"command": []}, ("command",)),
        ("job-run", {"command": ["a", ["b"]]}, ("command", 1)),
        ("job-run", {"env": {"A": {"b": 1}}}, ("env", "A")),
        ("silence-create", {"minutes": 24 * 60 + 1}, ("minutes",)),
        ("issue-open", {"labels": "bug"}, ("labels",)),
        ("workflow-dispatch", {"inputs": []}, ("inputs",)),
    ],
)
def test_a_value_that_the_action_cannot_use_is_named(action: str, given: dict[str, Any], key: tuple[Any, ...]) -> None:
    takes = {**ACTIONS[action].arguments, **ACTIONS[action].optional}
    assert [place for place, _ in faults(takes, given)] == [key]


def test_what_a_parameter_gets_into_is_judged_once_it_is_filled_in() -> None:
    takes = {**ACTIONS["job-run"].arguments, **ACTIONS["job-run"].optional}
    written = {"args": "${parameters.x}", "env": {"A": "${parameters.x}"}, "deadline_seconds": "1h"}
    assert [key for key, _ in written_faults(takes, written)] == [("deadline_seconds",)]
    assert refusal("Step clear", takes, {"args": "5"}) == (
        'Step clear does not take these arguments: args must be a list, not "5".'
    )
    assert refusal("Step clear", takes, {"args": ["5", 5], "env": {"A": True}}) == ""


def test_a_number_of_a_check_is_one() -> None:
    takes = PRECONDITIONS["pods-ready-at-least"].arguments
    assert refusal("It", takes, {"count": 2}) == ""
    assert refusal("It", takes, {"count": "lots"}).endswith('count must be a whole number, not "lots".')
