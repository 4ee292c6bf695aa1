"""Scaling sets one number, unless an autoscaler decides about it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.actions.scale import Scale
from bot.runbooks.plan import Refusal
from bot.runbooks.resources import AUTOSCALER, DEPLOYMENT, STATEFUL_SET
from tests.runbooks.actions.rendering import after, another, live, read_back, rendered, target, unsuitable
from tests.runbooks.conftest import Shop

SCALE, WEB = Scale(), target(DEPLOYMENT)


def with_pods(count: int | None) -> dict[str, Any]:
    return live(spec={} if count is None else {"replicas": count})


@pytest.mark.parametrize(
    ("now", "wanted", "effect"),
    [
        (3, 5, "Deployment shop/web goes from 3 to 5 pods: 2 pods will be started."),
        (3, 2, "Deployment shop/web goes from 3 to 2 pods: 1 pod will be removed."),
        (None, 2, "Deployment shop/web goes from 1 to 2 pods: 1 pod will be started."),
        (2, 0, "Deployment shop/web goes from 2 to 0 pods: 2 pods will be removed. Nothing of it will run any more."),
    ],
)
def test_only_the_number_is_written_and_its_effect_is_told(now: int | None, wanted: int, effect: str) -> None:
    made = rendered(SCALE, WEB, with_pods(now), replicas=wanted)
    assert made.call.body == {"spec": {"replicas": wanted}}
    assert made.effect == (effect,)


def test_the_inverse_is_the_number_that_was_read() -> None:
    made = rendered(SCALE, WEB, with_pods(3), replicas=5)
    assert made.undo == "Scale Deployment shop/web back to 3."
    assert after(after(with_pods(3), made.call), made.inverse) == with_pods(3)


def test_a_smaller_set_that_deletes_the_volumes_of_its_pods_is_refused() -> None:
    spec = {
        "replicas": 3,
        "volumeClaimTemplates": [{}],
        "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"},
    }
    on = target(STATEFUL_SET)
    assert unsuitable(SCALE, on, live(spec=spec), replicas=2).code == "volumes"
    assert rendered(SCALE, on, live(spec=spec), replicas=4)
    kept = {**spec, "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Retain"}}
    assert rendered(SCALE, on, live(spec=kept), replicas=2)


def test_the_number_it_has_already_is_no_change() -> None:
    assert unsuitable(SCALE, WEB, with_pods(3), replicas=3).code == "no-change"


def test_an_autoscaler_of_this_workload_decides() -> None:
    scaler = {
        "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 9},
    }
    refused = unsuitable(SCALE, WEB, with_pods(3), [scaler], replicas=5)
    assert refused.code == "owned"
    assert refused.sentence.startswith("HorizontalPodAutoscaler web decides how many pods Deployment shop/web has.")
    rendered(SCALE, target(STATEFUL_SET), with_pods(3), [scaler], replicas=5)


async def test_the_autoscalers_of_the_cluster_are_asked(market: Shop) -> None:
    refused = await market.plan("scale-deployment", deployment="frontend", replicas=5)
    assert isinstance(refused, Refusal)
    assert refused.sentence.startswith("HorizontalPodAutoscaler frontend decides how many pods")


def test_it_patches_workloads_and_lists_autoscalers() -> None:
    assert SCALE.verbs == {DEPLOYMENT.verb("patch"), STATEFUL_SET.verb("patch"), AUTOSCALER.verb("list")}


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (with_pods(5), "applied"),
        (with_pods(3), "not applied"),
        (with_pods(4), "cannot tell"),
        (another(with_pods(5)), "cannot tell"),
        (None, "cannot tell"),
    ],
)
def test_reading_back(found: Any, verdict: str) -> None:
    assert read_back(SCALE, with_pods(3), with_pods(5), found, replicas=5) == verdict
