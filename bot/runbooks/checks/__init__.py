"""The closed sets of preconditions and health checks, by the names that runbooks use."""

from __future__ import annotations

from collections.abc import Mapping

from bot.runbooks.checks.as_written import AsWritten
from bot.runbooks.checks.check import Health, Precondition
from bot.runbooks.checks.flags import FLAGS
from bot.runbooks.checks.job_succeeded import JobSucceeded
from bot.runbooks.checks.node_drained import NodeDrained
from bot.runbooks.checks.pod_has_controller import PodHasController
from bot.runbooks.checks.pod_replaced import PodReplaced
from bot.runbooks.checks.pods_ready_at_least import PodsReadyAtLeast
from bot.runbooks.checks.replicas_at_most import ReplicasAtMost
from bot.runbooks.checks.revert_opened import RevertOpened
from bot.runbooks.checks.rollout_automatic import RolloutAutomatic
from bot.runbooks.checks.rollout_healthy import RolloutHealthy
from bot.runbooks.checks.rollout_not_paused import RolloutNotPaused
from bot.runbooks.checks.silence_active import SilenceActive, SilenceExpired
from bot.runbooks.checks.workflow_run_succeeded import WorkflowRunSucceeded

_PRECONDITIONS: tuple[Precondition, ...] = (
    *FLAGS,
    PodHasController(),
    PodsReadyAtLeast(),
    ReplicasAtMost(),
    RolloutAutomatic(),
    RolloutNotPaused(),
)
_HEALTH: tuple[Health, ...] = (
    AsWritten(),
    JobSucceeded(),
    NodeDrained(),
    PodReplaced(),
    RevertOpened(),
    RolloutHealthy(),
    SilenceActive(),
    SilenceExpired(),
    WorkflowRunSucceeded(),
)

PRECONDITIONS: Mapping[str, Precondition] = {check.name: check for check in _PRECONDITIONS}
HEALTH: Mapping[str, Health] = {check.name: check for check in _HEALTH}
NOTHING = "none"
"""In the place of a health check: nothing can be looked at, so whether the run helped cannot be told."""
