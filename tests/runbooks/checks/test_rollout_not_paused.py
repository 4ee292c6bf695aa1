"""A paused rollout takes no change of its template."""

from __future__ import annotations

from bot.runbooks.checks.check import Observed
from bot.runbooks.checks.rollout_not_paused import RolloutNotPaused


def test_paused_is_read_from_the_spec() -> None:
    check = RolloutNotPaused()
    assert check.observe({"metadata": {"name": "a"}, "spec": {}}, {}) == Observed(
        True, False, "The rollout of a is not paused."
    )
    assert check.observe({"metadata": {"name": "a"}, "spec": {"paused": False}}, {}).holds
    paused = check.observe({"metadata": {"name": "a"}, "spec": {"paused": True}}, {})
    assert (paused.holds, paused.value) == (False, True)
