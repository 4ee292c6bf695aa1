"""A deletion names the pod by uid, and is judged by whether that very pod is gone or going."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.actions.action import Before, Occasion, Rendered, Unsuitable
from bot.runbooks.actions.delete_pod import DeletePod
from bot.runbooks.resources import POD
from bot.runbooks.target import Target

TARGET = Target("prod", POD, "shop", "web-1", "u1")


def pod(uid: str = "u1", **metadata: Any) -> dict[str, Any]:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "r1", "controller": True}
    return {
        "metadata": {"name": "web-1", "namespace": "shop", "uid": uid, "ownerReferences": [owner], **metadata},
        "spec": {
            "nodeName": "n1",
            "terminationGracePeriodSeconds": 60,
            "containers": [{"name": "web", "image": "web:1"}],
        },
        "status": {"phase": "Running"},
    }


def test_the_call_names_the_uid_and_keeps_the_grace_period() -> None:
    rendered = DeletePod().render(TARGET, pod(), (), {}, Occasion(0))
    assert isinstance(rendered, Rendered)
    assert rendered.call.body == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": "u1"},
        "propagationPolicy": "Background",
    }
    assert rendered.effect == (
        "Pod shop/web-1 will be deleted; it has 60 s to end by itself.",
        "ReplicaSet web starts another in its place.",
    )


def test_a_pod_that_is_going_already_is_left_alone() -> None:
    rendered = DeletePod().render(TARGET, pod(deletionTimestamp="2026-11-18T11:06:40Z"), (), {}, Occasion(0))
    assert isinstance(rendered, Unsuitable)


def test_what_identifies_the_pod_is_shown_and_then_nothing() -> None:
    before, after = DeletePod().shown(pod(), {})
    assert before["metadata"]["uid"] == "u1"
    assert before["containers"] == [{"name": "web", "image": "web:1"}]
    assert after == {}


@pytest.mark.parametrize("answer", [pod(), {"kind": "Status", "details": {"uid": "u1"}}])
def test_the_answer_is_the_pod_or_a_status_about_it(answer: dict[str, Any]) -> None:
    assert DeletePod().result(answer, {}) == {"uid": "u1"}


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        (pod(), "not applied"),
        (pod(deletionTimestamp="2026-11-18T11:06:40Z"), "applied"),
        (pod("u2"), "applied"),
        (None, "applied"),
    ],
)
def test_reading_back(now: Any, verdict: str) -> None:
    assert DeletePod().applied(now, Before("u1", 1, ""), "", {}) == verdict
