"""The closed set of actions, by the name that runbooks use."""

from __future__ import annotations

from collections.abc import Mapping

from bot.runbooks.actions.action import Action
from bot.runbooks.actions.annotate import Annotate
from bot.runbooks.actions.assertion import Assert
from bot.runbooks.actions.comment import CommentOn
from bot.runbooks.actions.config_key import ConfigKey
from bot.runbooks.actions.cordon import Cordon, Uncordon
from bot.runbooks.actions.delete_pod import DeletePod
from bot.runbooks.actions.dispatch_workflow import DispatchWorkflow
from bot.runbooks.actions.evict_pod import EvictPod
from bot.runbooks.actions.http_request import HttpRequest
from bot.runbooks.actions.open_issue import OpenIssue
from bot.runbooks.actions.pause_rollout import PauseRollout, ResumeRollout
from bot.runbooks.actions.rerun_failed_jobs import RerunFailedJobs
from bot.runbooks.actions.revert_pull_request import RevertPullRequest
from bot.runbooks.actions.revision_rollback import RevisionRollback
from bot.runbooks.actions.rollback import Rollback
from bot.runbooks.actions.rollout_restart import RolloutRestart
from bot.runbooks.actions.run_job import RunJob
from bot.runbooks.actions.scale import Scale
from bot.runbooks.actions.set_image import SetImage
from bot.runbooks.actions.silence import CreateSilence, ExpireSilence
from bot.runbooks.actions.suspend import Resume, Suspend
from bot.runbooks.actions.wait import Wait, WaitUntil

_ALL: tuple[Action, ...] = (
    Annotate(),
    Assert(),
    CommentOn(),
    ConfigKey(),
    Cordon(),
    CreateSilence(),
    DeletePod(),
    DispatchWorkflow(),
    EvictPod(),
    ExpireSilence(),
    HttpRequest(),
    OpenIssue(),
    PauseRollout(),
    RerunFailedJobs(),
    Resume(),
    ResumeRollout(),
    RevertPullRequest(),
    RevisionRollback(),
    Rollback(),
    RolloutRestart(),
    RunJob(),
    Scale(),
    SetImage(),
    Suspend(),
    Uncordon(),
    Wait(),
    WaitUntil(),
)

ACTIONS: Mapping[str, Action] = {action.name: action for action in _ALL}
