"""A set whose pods nobody replaces, or none of whose pods would be, takes no new template."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.checks.rollout_automatic import RolloutAutomatic

ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}


def observed(strategy: dict[str, Any] | None, **spec: Any) -> Any:
    return RolloutAutomatic().observe(
        {"metadata": {"name": "db"}, "spec": {"updateStrategy": strategy, "replicas": 3, **spec}}, {}
    )


@pytest.mark.parametrize(
    ("strategy", "holds", "sentence"),
    [
        (ROLLING, True, "db replaces its pods by itself when its template changes."),
        (None, True, "db replaces its pods by itself when its template changes."),
        ({"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}, True, "db replaces its pods by itself"),
        ({"type": "RollingUpdate", "rollingUpdate": {"partition": 3}}, False, "The partition of db is 3 and it has"),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}, True, "db replaces"),
        ({"type": "OnDelete"}, False, "db replaces no pod by itself (updateStrategy OnDelete)"),
    ],
)  # fmt: skip
def test_it_reads_the_update_strategy(strategy: dict[str, Any] | None, holds: bool, sentence: str) -> None:
    seen = observed(strategy)
    assert (seen.holds, seen.sentence.startswith(sentence)) == (holds, True), seen


def test_another_number_of_pods_is_no_drift_but_another_partition_is() -> None:
    assert observed(ROLLING).value == observed(ROLLING, replicas=5).value
    assert observed(ROLLING).value != observed({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}).value
