"""The closed set of actions, by the name that runbooks use."""

from __future__ import annotations

from collections.abc import Mapping

from bot.runbooks.actions.action import Action
from bot.runbooks.actions.delete_pod import DeletePod
from bot.runbooks.actions.rollback import Rollback
from bot.runbooks.actions.rollout_restart import RolloutRestart

ACTIONS: Mapping[str, Action] = {action.name: action for action in (DeletePod(), Rollback(), RolloutRestart())}
