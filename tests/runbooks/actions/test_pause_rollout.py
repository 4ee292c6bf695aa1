"""A rollout is paused by one field; resuming it rolls out what was changed meanwhile, so that change is drift."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.actions.action import fingerprint
from bot.runbooks.actions.pause_rollout import PauseRollout, ResumeRollout
from bot.runbooks.resources import DEPLOYMENT
from tests.runbooks.actions.rendering import after, another, live, read_back, rendered, target

WEB = target(DEPLOYMENT)


def web(image: str = "web:1", **spec: Any) -> dict[str, Any]:
    return live(spec={"template": {"spec": {"containers": [{"name": "web", "image": image}]}}, **spec})


GOING, PAUSED = web(), web(paused=True)


@pytest.mark.parametrize(
    ("action", "now", "left", "says", "undo"),
    [
        (PauseRollout(), GOING, PAUSED, "rolls out no change of its pod template until it is resumed", "Resume"),
        (ResumeRollout(), PAUSED, GOING, "rolls out what was changed while it was paused", "Pause"),
    ],
)
def test_one_field_is_written_and_the_inverse_takes_it_back(
    action: PauseRollout, now: Any, left: Any, says: str, undo: str
) -> None:
    made = rendered(action, WEB, now)
    assert f"Deployment shop/web {says}" in made.effect[0]
    assert made.undo == f"{undo} the rollout of Deployment shop/web."
    assert after(now, made.call) == left
    assert after(left, made.inverse) == now


def test_resuming_tells_how_pods_are_replaced() -> None:
    (effect,) = rendered(ResumeRollout(), WEB, web(paused=True, strategy={"type": "Recreate"})).effect
    assert "All its pods are stopped before new ones start" in effect


def test_each_is_the_others_inverse_and_needs_its_state() -> None:
    assert (PauseRollout.inverse, ResumeRollout.inverse) == (ResumeRollout.name, PauseRollout.name)
    assert (PauseRollout.requires, ResumeRollout.requires) == ({"rollout-not-paused"}, {"rollout-paused"})


def test_it_patches_deployments_and_nothing_else() -> None:
    assert PauseRollout.verbs == ResumeRollout.verbs == {DEPLOYMENT.verb("patch")}


def test_another_template_is_drift_for_who_resumes_and_not_for_who_pauses() -> None:
    other = web("web:2")
    assert fingerprint(PauseRollout().fields(GOING, {})) == fingerprint(PauseRollout().fields(other, {}))
    assert fingerprint(ResumeRollout().fields(GOING, {})) != fingerprint(ResumeRollout().fields(other, {}))


@pytest.mark.parametrize(
    ("found", "verdict"),
    [(PAUSED, "applied"), (GOING, "not applied"), (another(PAUSED), "cannot tell"), (None, "cannot tell")],
)
def test_reading_back(found: Any, verdict: str) -> None:
    assert read_back(PauseRollout(), GOING, PAUSED, found) == verdict


def test_what_was_resumed_and_changed_since_cannot_be_told() -> None:
    assert read_back(ResumeRollout(), PAUSED, GOING, GOING) == "applied"
    assert read_back(ResumeRollout(), PAUSED, GOING, web("web:2")) == "cannot tell"
