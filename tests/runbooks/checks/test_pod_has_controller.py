"""Which pods something will replace."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.checks.pod_has_controller import PodHasController


def pod(*owners: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "p", "ownerReferences": list(owners)}}


def ref(kind: str, api_version: str = "apps/v1", *, controls: bool = True) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "name": "o", "uid": "u", "controller": controls}


@pytest.mark.parametrize("kind", ["ReplicaSet", "StatefulSet", "DaemonSet"])
def test_what_keeps_pods_replaces_them(kind: str) -> None:
    observed = PodHasController().observe(pod(ref(kind)), {})
    assert (observed.holds, observed.sentence) == (True, f"{kind} o replaces p.")


@pytest.mark.parametrize(
    ("live", "sentence"),
    [
        (pod(), "Nothing controls p, so it would not be replaced."),
        ({"metadata": {"name": "p"}}, "Nothing controls p, so it would not be replaced."),
        (pod(ref("ReplicaSet", controls=False)), "Nothing controls p, so it would not be replaced."),
        (pod(ref("Job", "batch/v1")), "p belongs to Job o, which may not replace it; only pods of a ReplicaSet"),
        (pod(ref("ReplicaSet", "evil.example/v1")), "p belongs to ReplicaSet o, which may not replace it"),
    ],
)
def test_what_may_not_come_back_is_refused(live: dict[str, Any], sentence: str) -> None:
    observed = PodHasController().observe(live, {})
    assert not observed.holds
    assert observed.sentence.startswith(sentence)
