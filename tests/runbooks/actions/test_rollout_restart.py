"""A restart writes one annotation with the time of planning."""

from __future__ import annotations

from typing import Any

from bot.runbooks.actions.action import Occasion, Rendered, Unsuitable
from bot.runbooks.actions.rollout_restart import RESTARTED_AT, RolloutRestart
from bot.runbooks.resources import DEPLOYMENT
from bot.runbooks.target import Target

TARGET = Target("prod", DEPLOYMENT, "shop", "web", "u1")
NOW = 1_795_000_000_999_999


def live(strategy: dict[str, Any] | None = None, restarted: str | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"labels": {"app": "web"}}
    if restarted:
        metadata["annotations"] = {RESTARTED_AT: restarted}
    spec: dict[str, Any] = {"replicas": 3, "template": {"metadata": metadata, "spec": {}}}
    return {"metadata": {"name": "web", "uid": "u1"}, "spec": spec | ({"strategy": strategy} if strategy else {})}


def test_only_the_annotation_is_written() -> None:
    rendered = RolloutRestart().render(TARGET, live(), (), {}, Occasion(NOW))
    assert isinstance(rendered, Rendered)
    assert rendered.call.body == {
        "spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: "2026-11-18T11:06:40Z"}}}}
    }
    assert rendered.effect == (
        "3 pods of web will be replaced by new ones of the same release.",
        "Pods are replaced step by step: at most 25% unavailable and 25% extra at a time.",
    )


def test_recreate_says_that_everything_stops_first() -> None:
    rendered = RolloutRestart().render(TARGET, live({"type": "Recreate"}), (), {}, Occasion(NOW))
    assert isinstance(rendered, Rendered)
    assert rendered.effect[1] == "All its pods are stopped before new ones start (strategy Recreate)."


def test_a_second_restart_within_the_second_would_change_nothing() -> None:
    rendered = RolloutRestart().render(TARGET, live(restarted="2026-11-18T11:06:40Z"), (), {}, Occasion(NOW))
    assert isinstance(rendered, Unsuitable)
    assert rendered.code == "same-second"
