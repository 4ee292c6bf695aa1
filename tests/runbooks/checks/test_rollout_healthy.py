"""When a Deployment counts as rolled out, step by step as its controller reports it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.checks.rollout_healthy import judge
from bot.runbooks.resources import DEPLOYMENT
from bot.runbooks.target import Target

TARGET = Target("prod", DEPLOYMENT, "shop", "checkout", "u1")
DONE = {"observedGeneration": 5, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}


def live(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "checkout", "generation": 5}, "spec": {"replicas": 3}, "status": {**DONE, **status}}


@pytest.mark.parametrize(
    ("status", "healthy", "sentence"),
    [
        ({}, True, "3 of 3 pods ready."),
        # Everything reads healthy, but of the generation before.
        ({"observedGeneration": 4}, False, "The change of checkout has not been taken up yet."),
        ({"updatedReplicas": 1, "replicas": 4}, False, "3 of 3 pods ready, 1 of the new template."),
        ({"replicas": 4}, False, "3 of 3 pods ready, 1 of an old template still there."),
        ({"availableReplicas": 2}, False, "3 of 3 pods ready, 2 available."),
        ({"readyReplicas": 0, "availableReplicas": 0}, False, "0 of 3 pods ready, 0 available."),
    ],
)
def test_health(status: dict[str, Any], healthy: bool, sentence: str) -> None:
    look = judge(TARGET, live(**status))
    assert (look.healthy, look.sentence) == (healthy, sentence)


def test_absent_counts_are_none_ready_and_an_absent_object_is_not_healthy() -> None:
    fresh = {"metadata": {"name": "checkout", "generation": 1}, "spec": {}, "status": {"observedGeneration": 1}}
    assert judge(TARGET, fresh).sentence == "0 of 1 pods ready, 0 of the new template."
    assert judge(TARGET, None).sentence == "Deployment shop/checkout no longer exists."
