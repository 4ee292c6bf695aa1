"""workflow-rerun-failed: run the failed jobs of a workflow run again, at the same commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.clients.github import GitHubError
from bot.clients.github_acting import ActingRepository
from bot.runbooks.access import Access, written
from bot.runbooks.actions.action import Before, Occasion, ReadBack, Rendered, Unrehearsed, Unsuitable
from bot.runbooks.call import JSON, Call
from bot.runbooks.resources import WORKFLOW_RUN
from bot.runbooks.target import Target

Json = Mapping[str, Any]

FAILED = ("failure", "timed_out", "startup_failure", "cancelled")
MOST_ATTEMPTS = 5
_SHOWN = 10


class RerunFailedJobs(Unrehearsed):
    """Nothing is changed in the code: the jobs that failed start anew, with the secrets and rights that they had.

    GitHub counts a run's attempts, which tells afterwards whether it took effect.
    """

    name = "workflow-rerun-failed"
    kinds = frozenset({WORKFLOW_RUN.kind})
    verbs = frozenset()
    inverse = "none: what a job did is its own affair; cancel the run on GitHub"
    idempotency = "none"

    async def gather(self, access: Access, target: Target, live: Json, arguments: Json) -> Sequence[Json]:
        """Read the jobs of the attempt that was looked at."""
        repository = access.repository(target.namespace)
        with access.translated():
            return await repository.jobs(int(target.name), live["run"]["attempt"])

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the request for a run that ended and has failed jobs."""
        run = live["run"]
        if run["status"] != "completed":
            return Unsuitable("running", f"{target} has not ended yet ({run['status']}). Wait for its end.")
        failed = [" ".join(str(job.get("name")).split())[:80] for job in gathered if job.get("conclusion") in FAILED]
        if not failed:
            return Unsuitable("no-change", f"No job of {target} failed, so there is nothing to run again.")
        if run["attempt"] >= MOST_ATTEMPTS:
            return Unsuitable("attempts", f"{target} was tried {run['attempt']} times. It needs a change.")
        theirs = run["source"].lower() != target.namespace.lower()
        more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
        return Rendered(
            call=Call("POST", f"/repos/{target.namespace}/actions/runs/{target.name}/rerun-failed-jobs", JSON, {}),
            effect=(
                f"{target.namespace} runs again, at commit {run['head_sha'][:12]}: {', '.join(failed[:_SHOWN])}{more}.",
                f"It is attempt {run['attempt'] + 1} of the workflow {run['workflow']}.",
                *([f"What it runs is of the fork {run['source']}, for the event {run['event']}."] if theirs else []),
            ),
            undo="Cancel the run on GitHub.",
        )

    async def read(self, access: Access, target: Target, call: Call) -> Json | None:
        """Read the run."""
        repository = access.repository(target.namespace)
        with access.translated():
            try:
                return wrapped(await repository.workflow_run(int(target.name)))
            except GitHubError as error:
                if error.status == 404:
                    return None
                raise

    async def send(self, access: Access, target: Target, call: Call, *, dry_run: bool = False) -> Json:
        """Ask for it, and read the run."""
        repository: ActingRepository = access.repository(target.namespace)
        with access.translated(writing=True):
            await repository.rerun_failed(int(target.name))
        with written():
            return await self.read(access, target, call) or {}

    def foresee(self, live: Json, call: Call) -> Json:
        """The run, once more."""
        run = live["run"]
        return {**live, "run": {**run, "attempt": run["attempt"] + 1, "status": "queued", "conclusion": ""}}

    def fields(self, live: Json, arguments: Json) -> Json:
        """Which attempt it is of what, and how it ended."""
        return live["run"]  # type: ignore[no-any-return]  # as `wrapped` made it

    def result(self, answer: Json, arguments: Json) -> Json:
        """GitHub says nothing of the new attempt at once, only that it is for the same commit."""
        return {"head_sha": (answer.get("run") or {}).get("head_sha")}

    def shown(self, live: Json, answer: Json) -> tuple[Json, Json]:
        """The run before and after."""
        return {"run": live["run"]}, {"run": answer["run"]}

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """There is a later attempt."""
        if live is None or before.generation is None:
            return "cannot tell"
        return "applied" if live["metadata"]["generation"] > before.generation else "not applied"


def wrapped(run: Json) -> Json:
    """A workflow run in the form of the other objects; its attempts are its generations."""
    attempt = int(run.get("run_attempt") or 1)
    return {
        "metadata": {"uid": str(run.get("id", "")), "name": str(run.get("id", "")), "generation": attempt},
        "run": {
            "workflow": " ".join(str(run.get("name") or "").split())[:100],
            "head_sha": str(run.get("head_sha", "")),
            "status": str(run.get("status", "")),
            "conclusion": str(run.get("conclusion") or ""),
            "attempt": attempt,
            "event": str(run.get("event") or "")[:40],
            "source": str((run.get("head_repository") or {}).get("full_name") or "(deleted)")[:150],
        },
    }
