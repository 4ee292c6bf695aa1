"""What a drain moves is left until it is gone, and what it leaves alone never is."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.node_pods import has_to_move


def pod(phase: str = "Running", owner: str = "ReplicaSet", **metadata: Any) -> dict[str, Any]:
    owners = [{"apiVersion": "apps/v1", "kind": owner, "name": "x", "uid": "u", "controller": True}]
    return {"metadata": {"ownerReferences": owners, **metadata}, "spec": {}, "status": {"phase": phase}}


def test_a_pod_that_is_ending_is_left_until_it_is_gone() -> None:
    assert has_to_move(pod())
    assert has_to_move(pod(deletionTimestamp="2026-11-18T11:06:40Z"))


@pytest.mark.parametrize(
    "stays",
    [
        pod(owner="DaemonSet"),
        pod(annotations={"kubernetes.io/config.mirror": "x"}),
        pod("Succeeded"),
        pod("Failed", deletionTimestamp="2026-11-18T11:06:40Z"),
    ],
)
def test_what_a_drain_leaves_alone_is_not_left(stays: dict[str, Any]) -> None:
    assert not has_to_move(stays)
