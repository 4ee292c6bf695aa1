"""When a workload counts as rolled out, step by step as its controller reports it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.checks.rollout_healthy import judge
from bot.runbooks.resources import DAEMON_SET, DEPLOYMENT, STATEFUL_SET
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


SET = {
    "observedGeneration": 5, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3,
    "currentRevision": "db-2", "updateRevision": "db-2",
}  # fmt: skip
UNDER_WAY = {"currentRevision": "db-1"}


@pytest.mark.parametrize(
    ("status", "strategy", "healthy", "sentence"),
    [
        ({}, {}, True, "3 of 3 pods ready."),
        ({"observedGeneration": 4}, {}, False, "The change of db has not been taken up yet."),
        ({"updatedReplicas": 1, **UNDER_WAY}, {}, False, "3 of 3 pods ready, 1 of the new template."),
        ({"readyReplicas": 2, "availableReplicas": 2, **UNDER_WAY}, {}, False, "2 of 3 pods ready, 2 available."),
        (UNDER_WAY, {}, False, "3 of 3 pods ready, and the rollout is not over."),
        ({"replicas": 4}, {}, False, "3 of 3 pods ready, 1 more still there."),
        # Pods before the partition keep their template, so the two revisions never become one.
        ({"updatedReplicas": 1, **UNDER_WAY}, {"rollingUpdate": {"partition": 2}}, True, "3 of 3 pods ready."),
        (
            {"updatedReplicas": 1, **UNDER_WAY},
            {"rollingUpdate": {"partition": 1}},
            False,
            "3 of 3 pods ready, 1 of the",
        ),
        # Under OnDelete the template says nothing of the pods: only that all are there can be asked.
        ({"updatedReplicas": 0, **UNDER_WAY}, {"type": "OnDelete"}, True, "3 of 3 pods ready."),
        ({"availableReplicas": 2, **UNDER_WAY}, {"type": "OnDelete"}, False, "3 of 3 pods ready, 2 available."),
    ],
)
def test_health_of_a_stateful_set(
    status: dict[str, Any], strategy: dict[str, Any], healthy: bool, sentence: str
) -> None:
    spec = {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", **strategy}}
    found = {"metadata": {"name": "db", "generation": 5}, "spec": spec, "status": {**SET, **status}}
    look = judge(Target("prod", STATEFUL_SET, "shop", "db", "u1"), found)
    assert (look.healthy, look.sentence.startswith(sentence)) == (healthy, True), look


NODES = {
    "observedGeneration": 5, "desiredNumberScheduled": 3, "currentNumberScheduled": 3, "updatedNumberScheduled": 3,
    "numberReady": 3, "numberAvailable": 3,
}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "strategy", "healthy", "sentence"),
    [
        ({}, {}, True, "3 of 3 pods ready."),
        ({"observedGeneration": 4}, {}, False, "The change of agent has not been taken up yet."),
        ({"updatedNumberScheduled": 1}, {}, False, "3 of 3 pods ready, 1 of the new template."),
        ({"numberAvailable": 2, "numberUnavailable": 1}, {}, False, "3 of 3 pods ready, 2 available."),
        ({"numberUnavailable": 1}, {}, False, "3 of 3 pods ready, and the rollout is not over."),
        ({"updatedNumberScheduled": 0}, {"type": "OnDelete"}, True, "3 of 3 pods ready."),
    ],
)
def test_health_of_a_daemon_set(status: dict[str, Any], strategy: dict[str, Any], healthy: bool, sentence: str) -> None:
    spec = {"updateStrategy": {"type": "RollingUpdate", **strategy}}
    found = {"metadata": {"name": "agent", "generation": 5}, "spec": spec, "status": {**NODES, **status}}
    look = judge(Target("prod", DAEMON_SET, "shop", "agent", "u1"), found)
    assert (look.healthy, look.sentence) == (healthy, sentence)
