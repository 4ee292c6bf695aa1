"""cron-job-suspend and cron-job-resume: start no more Jobs of a CronJob, and start them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks.actions.action import DECLARED, Action, Occasion, Rendered, Unsuitable
from bot.runbooks.call import MERGE_PATCH, Call
from bot.runbooks.resources import CRON_JOB
from bot.runbooks.target import Target

Json = Mapping[str, Any]


class Suspend(Action):
    """Sets spec.suspend; Jobs that run are left alone."""

    name = "cron-job-suspend"
    kinds = frozenset({CRON_JOB.kind})
    verbs = frozenset({CRON_JOB.verb("patch")})
    inverse = "cron-job-resume"
    requires = frozenset({"cron-job-active"})
    reverted_by = DECLARED - {"helm"}
    suspended = True

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the merge patch of the one field."""
        schedule = str(live["spec"].get("schedule", ""))[:100]
        what = (
            f"starts no more Jobs (its schedule is {schedule}); those that run are left alone"
            if self.suspended
            else f"starts Jobs again on its schedule, {schedule}; one that was missed may start at once"
        )
        return Rendered(
            call=_call(target, self.suspended),
            effect=(f"{target} {what}.",),
            undo=f"{'Resume' if self.suspended else 'Suspend'} {target}.",
            inverse=_call(target, not self.suspended),
        )

    def fields(self, live: Json, arguments: Json) -> Json:
        """Whether it is suspended."""
        return {"suspend": bool(live["spec"].get("suspend"))}


class Resume(Suspend):
    """Sets spec.suspend to false."""

    name = "cron-job-resume"
    inverse = "cron-job-suspend"
    requires = frozenset({"cron-job-suspended"})
    suspended = False


def _call(target: Target, suspended: bool) -> Call:
    return Call("PATCH", target.path, MERGE_PATCH, {"spec": {"suspend": suspended}})
