"""Fewer ready pods than are needed are seen; more than that are not a change."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.checks.pods_ready_at_least import PodsReadyAtLeast


@pytest.mark.parametrize(
    ("status", "holds", "value"),
    [
        ({"readyReplicas": 3}, True, 2),
        ({"readyReplicas": 2}, True, 2),
        ({"readyReplicas": 1}, False, 1),
        ({"numberReady": 7}, True, 2),
        ({}, False, 0),
    ],
)
def test_it_counts_what_is_ready(status: dict[str, Any], holds: bool, value: int) -> None:
    seen = PodsReadyAtLeast().observe({"metadata": {"name": "web"}, "spec": {}, "status": status}, {"count": 2})
    assert (seen.holds, seen.value) == (holds, value)
    assert seen.sentence.endswith("are ready, 2 are needed.")
