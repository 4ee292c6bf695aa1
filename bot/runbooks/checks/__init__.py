"""The closed sets of preconditions and health checks, by the names that runbooks use."""

from __future__ import annotations

from collections.abc import Mapping

from bot.runbooks.checks.check import Health, Precondition
from bot.runbooks.checks.pod_has_controller import PodHasController
from bot.runbooks.checks.pod_replaced import PodReplaced
from bot.runbooks.checks.rollout_healthy import RolloutHealthy
from bot.runbooks.checks.rollout_not_paused import RolloutNotPaused

PRECONDITIONS: Mapping[str, Precondition] = {check.name: check for check in (PodHasController(), RolloutNotPaused())}
HEALTH: Mapping[str, Health] = {check.name: check for check in (PodReplaced(), RolloutHealthy())}
