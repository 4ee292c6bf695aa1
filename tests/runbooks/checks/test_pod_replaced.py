"""When a deleted pod counts as replaced."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.checks.pod_replaced import judge
from bot.runbooks.resources import POD
from bot.runbooks.target import Target

OWNER = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "s1"}
TARGET = Target("prod", POD, "shop", "db-0", "u1", OWNER)


def pod(uid: str) -> dict[str, Any]:
    return {"metadata": {"name": "db-0", "uid": uid}}


def owner(ready: int, *, uid: str = "s1", replicas: int = 3) -> dict[str, Any]:
    return {
        "kind": "StatefulSet",
        "metadata": {"uid": uid, "generation": 2},
        "spec": {"replicas": replicas},
        "status": {"readyReplicas": ready, "observedGeneration": 2},
    }


@pytest.mark.parametrize(
    ("live", "controller", "healthy", "sentence"),
    [
        (None, owner(3), True, "3 of 3 pods of StatefulSet db ready."),
        # A StatefulSet gives the new pod the old name.
        (pod("u2"), owner(3), True, "3 of 3 pods of StatefulSet db ready."),
        (pod("u1"), owner(3), False, "3 of 3 pods of StatefulSet db ready, db-0 still there."),
        (pod("u2"), owner(2), False, "2 of 3 pods of StatefulSet db ready."),
        (None, owner(0, replicas=0), False, "StatefulSet db wants no pods any more."),
        (None, owner(3, uid="s2"), False, "StatefulSet db no longer exists."),
        (None, None, False, "StatefulSet db no longer exists."),
    ],
)
def test_replacement(live: Any, controller: Any, healthy: bool, sentence: str) -> None:
    look = judge(TARGET, live, controller)
    assert (look.healthy, look.sentence) == (healthy, sentence)


def test_a_daemon_set_counts_nodes() -> None:
    target = Target("prod", POD, "shop", "log-x", "u1", {**OWNER, "kind": "DaemonSet", "name": "log"})
    live = {
        "kind": "DaemonSet",
        "metadata": {"uid": "s1", "generation": 1},
        "spec": {},
        "status": {"numberReady": 2, "desiredNumberScheduled": 3, "observedGeneration": 1},
    }
    assert judge(target, None, live).sentence == "2 of 3 pods of DaemonSet log ready."
