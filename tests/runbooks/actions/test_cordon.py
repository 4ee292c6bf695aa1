"""A cordon writes one field of a node, and taking it back leaves no trace of it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.actions.cordon import Cordon, Uncordon
from bot.runbooks.resources import NODE
from tests.runbooks.actions.rendering import after, another, live, read_back, rendered, target

NODE_1 = target(NODE, "node-1")
OPEN, CORDONED = live("node-1", spec={}), live("node-1", spec={"unschedulable": True})


@pytest.mark.parametrize(
    ("action", "now", "left", "effect", "undo"),
    [
        (Cordon(), OPEN, CORDONED, "Node node-1 takes no new pods; those on it keep running.", "Uncordon Node node-1."),
        (Uncordon(), CORDONED, OPEN, "Node node-1 takes new pods again.", "Cordon Node node-1."),
    ],
)
def test_one_field_is_written_and_the_inverse_takes_it_back(
    action: Cordon, now: Any, left: Any, effect: str, undo: str
) -> None:
    made = rendered(action, NODE_1, now)
    assert (made.effect, made.undo) == ((effect,), undo)
    assert after(now, made.call) == left
    assert after(left, made.inverse) == now


def test_each_is_the_others_inverse_and_needs_its_state() -> None:
    assert (Cordon.inverse, Uncordon.inverse) == (Uncordon.name, Cordon.name)
    assert (Cordon.requires, Uncordon.requires) == ({"node-schedulable"}, {"node-cordoned"})


def test_it_patches_nodes_which_belong_to_no_namespace() -> None:
    (verb,) = Cordon.verbs | Uncordon.verbs
    assert (verb.verb, verb.resource, verb.cluster_wide) == ("patch", "nodes", True)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [(CORDONED, "applied"), (OPEN, "not applied"), (another(CORDONED), "cannot tell"), (None, "cannot tell")],
)
def test_reading_back(found: Any, verdict: str) -> None:
    assert read_back(Cordon(), OPEN, CORDONED, found) == verdict


def test_an_absent_field_and_a_false_one_are_the_same() -> None:
    assert read_back(Uncordon(), CORDONED, OPEN, live("node-1", spec={"unschedulable": False})) == "applied"
