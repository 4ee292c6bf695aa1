"""A runbook in words: whatever it says is there, and each action says what it takes and how it is taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.policy import Window
from bot.runbooks.actions import ACTIONS
from bot.runbooks.catalogue import Catalogue
from bot.runbooks.describe import describe


def words(catalogue: Catalogue, name: str, **changed: Any) -> str:
    return "\n".join(describe(replace(catalogue.runbooks[name], **changed)))


def test_a_runbook_of_several_steps(catalogue: Catalogue) -> None:
    said = words(catalogue, "drain-node")
    assert "Target: Node ${parameters.node}" in said
    assert "on the pods that a drain of ${parameters.node} moves: at most 110" in said
    assert "rights: create pods/eviction; inverse: none: an evicted pod does not come back" in said
    assert "at most 300 s; on failure rollback; safe to repeat" in said
    assert "It is part of what is approved." in said
    assert "Lock: drain, beside the targets" in said


def test_the_values_of_a_number_are_said_also_where_it_has_one_bound(catalogue: Catalogue) -> None:
    number = {"type": "integer", "description": "How many.", "enum": [1, 2]}
    for bounds, said in (
        ({"minimum": 1}, "one of 1, 2, at least 1"),
        ({"maximum": 2}, "one of 1, 2, at most 2"),
        ({"minimum": 1, "maximum": 2}, "one of 1, 2, 1 to 2"),
    ):
        parameters = {"properties": {"count": number | bounds}, "required": ["count"]}
        assert f"How many. ({said}, needed)" in words(catalogue, "drain-node", parameters=parameters)


def test_targets_by_label_limits_and_windows(catalogue: Catalogue) -> None:
    window = Window("deny", "0 18 * * FRI", 216_000, "Europe/Berlin", why="weekend")
    said = words(catalogue, "restart-deployments", windows=(window,), owner="platform")
    assert (
        "Target: every Deployment with app.kubernetes.io/part-of=${parameters.application} "
        "in namespace ${parameters.namespace}: at most 20, 1 at a time"
    ) in said
    assert "Limit: 4 runs an hour in a cluster" in said
    assert "Window: deny from 0 18 * * FRI, Europe/Berlin, for 60 h (weekend)" in said
    assert "kept by platform" in said


def test_a_parameter_that_the_incident_gives(catalogue: Catalogue) -> None:
    assert "an incident gives it, from subject.namespace" in words(catalogue, "silence-alerts")
    assert "5 to 480" in words(catalogue, "silence-alerts")
    assert "0 if left out" in words(catalogue, "rollback-deployment")


def test_every_shipped_runbook_can_be_told(catalogue: Catalogue) -> None:
    for name in catalogue.runbooks:
        assert len(words(catalogue, name).splitlines()) > 8


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.name)
def test_every_action_says_its_inverse_or_why_there_is_none(action: Any) -> None:
    assert action.inverse.startswith(("none", "the undo")) or action.inverse.split()[0] in ACTIONS
    if action.inverse.startswith("none"):
        assert len(action.inverse) > len("none")
