"""An eviction names the pod by uid, is patient with its budget, and is judged by whether that very pod is gone."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.actions.evict_pod import EvictPod
from bot.runbooks.resources import POD
from tests.runbooks.actions.rendering import another, live, read_back, rendered, target, unsuitable

EVICT, WEB_1 = EvictPod(), target(POD, "web-1")
OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "r1", "controller": True}


def pod(**metadata: Any) -> dict[str, Any]:
    made = live("web-1", spec={"nodeName": "n1", "containers": [{"name": "web", "image": "web:1"}]}, status={})
    return {**made, "metadata": {**made["metadata"], "ownerReferences": [OWNER], **metadata}}


def test_the_call_asks_for_this_very_pod_to_go() -> None:
    call = rendered(EVICT, WEB_1, pod()).call
    assert (call.method, call.path) == ("POST", "/api/v1/namespaces/shop/pods/web-1/eviction")
    assert (call.body["apiVersion"], call.body["kind"]) == ("policy/v1", "Eviction")
    assert call.body["deleteOptions"] == {"preconditions": {"uid": "u1"}}


@pytest.mark.parametrize(
    ("owners", "says"),
    [([OWNER], "ReplicaSet web starts another elsewhere"), ([], "nothing controls it, so nothing starts another")],
)
def test_it_tells_who_starts_another(owners: list[Any], says: str) -> None:
    (effect,) = rendered(EVICT, WEB_1, pod(ownerReferences=owners)).effect
    assert effect == f"Pod shop/web-1 is evicted as its disruption budget allows; {says}."


def test_there_is_no_way_back() -> None:
    made = rendered(EVICT, WEB_1, pod())
    assert (made.undo, made.inverse) == ("", None)
    assert EVICT.inverse.startswith("none: ")


def test_a_pod_that_is_going_already_is_left_alone() -> None:
    assert unsuitable(EVICT, WEB_1, pod(deletionTimestamp="2026-11-18T11:06:40Z")).code == "already-deleted"


def test_it_takes_no_right_but_to_evict_and_waits_for_its_budget() -> None:
    assert EVICT.verbs == {POD.verb("create", "eviction")}
    assert EVICT.patient


def test_what_identifies_the_pod_is_shown_and_then_nothing() -> None:
    before, afterwards = EVICT.shown(pod(), {})
    assert before["metadata"]["uid"] == "u1"
    assert afterwards == {}


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (pod(), "not applied"),
        (pod(deletionTimestamp="2026-11-18T11:06:40Z"), "applied"),
        (another(pod()), "applied"),
        (None, "applied"),
    ],
)
def test_reading_back(found: Any, verdict: str) -> None:
    assert read_back(EVICT, pod(), {"status": "Success"}, found) == verdict
